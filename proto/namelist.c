#include "proto/namelist.h"

#include <string.h>

/* RFC 4251 section 6: names are at most 64 characters of printable US-ASCII, without white space,
 * commas and control characters. */
enum { NAME_MAX_BYTES = 64 };

static bool is_name_char(uint8_t c)
{
    return c > ' ' && c < 0x7f && c != ',';
}

static bool name_is_valid(struct bytes name)
{
    if (name.n > NAME_MAX_BYTES)
        return false;
    for (size_t i = 0; i < name.n; i++)
        if (!is_name_char(name.p[i]))
            return false;
    return true;
}

bool namelist_is_valid(struct bytes list)
{
    struct bytes name;
    while (namelist_next(&list, &name))
        if (!name_is_valid(name))
            return false;
    return true;
}

bool namelist_next(struct bytes *list, struct bytes *name)
{
    while (list->n > 0 && list->p[0] == ',') {
        list->p++;
        list->n--;
    }
    if (list->n == 0)
        return false;
    const uint8_t *comma = memchr(list->p, ',', list->n);
    size_t n = comma == NULL ? list->n : (size_t)(comma - list->p);
    *name = (struct bytes){list->p, n};

    size_t taken = comma == NULL ? n : n + 1;
    list->p += taken;
    list->n -= taken;
    return true;
}

bool namelist_has(struct bytes list, struct bytes name)
{
    struct bytes each;
    while (namelist_next(&list, &each))
        if (bytes_equal(each, name))
            return true;
    return false;
}

bool namelist_has_cstr(struct bytes list, const char *name)
{
    return namelist_has(list, bytes_of(name));
}

/* Peers send long lists at most against a short one of ours, so the product of both stays small. */
struct bytes namelist_choose(struct bytes client, struct bytes server)
{
    struct bytes name;
    while (namelist_next(&client, &name))
        if (namelist_has(server, name))
            return name;
    return (struct bytes){NULL, 0};
}
