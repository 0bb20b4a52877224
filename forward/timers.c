/* A leftist heap: a binary tree in which no timer is sooner than its parent, and the way down the
 * right-hand side is the shortest way to an end, hence at most log2(n + 1) steps. Everything is
 * done by melding two heaps along those short sides. An array heap would be as fast, but has to
 * grow, and a timer that cannot be set for want of memory has no good answer.
 *
 * loop_timer.place is the number of steps down the right-hand side, counting the timer itself. */
#include "forward/timers.h"

static size_t steps(const struct loop_timer *t)
{
    return t == NULL ? 0 : t->place;
}

/* Puts the shorter side right. */
static void lean_left(struct loop_timer *t)
{
    if (steps(t->left) < steps(t->right)) {
        struct loop_timer *shorter = t->left;
        t->left = t->right;
        t->right = shorter;
    }
    t->place = steps(t->right) + 1;
}

/* Recursion is as deep as the two short sides together: 40 for a million timers. */
static struct loop_timer *meld(struct loop_timer *a, struct loop_timer *b)
{
    if (a == NULL)
        return b;
    if (b == NULL)
        return a;
    struct loop_timer *top = b->at_ms < a->at_ms ? b : a;
    top->right = meld(top->right, top == a ? b : a);
    top->right->parent = top;
    lean_left(top);
    return top;
}

void timers_insert(struct loop_timer **root, struct loop_timer *t)
{
    t->left = t->right = t->parent = NULL;
    t->place = 1;
    *root = meld(*root, t);
}

void timers_remove(struct loop_timer **root, struct loop_timer *t)
{
    struct loop_timer *rest = meld(t->left, t->right);
    struct loop_timer *above = t->parent;
    if (rest != NULL)
        rest->parent = above;
    if (above == NULL)
        *root = rest;
    else if (above->left == t)
        above->left = rest;
    else
        above->right = rest;
    for (; above != NULL; above = above->parent) {
        size_t before = above->place;
        lean_left(above);
        if (above->place == before)
            break; /* nobody further up can tell the difference */
    }
    t->left = t->right = t->parent = NULL;
    t->place = 0;
}
