/* The body of gcm_vaes.c for one width of vector: no include guard, since gcm_vaes.c includes it
 * once a width, with these defined:
 *
 *     VEC       the vector; LANES, the 16-byte blocks that it holds
 *     WIDE      attributes of a small function of this width
 *     NAME(f)   f with the width in its name, as all functions here and the helpers below have it
 *     PRODUCT   the tag of a struct
 *
 * and these functions on vectors: load, store, cut (keep the first n bytes, zero the others),
 * load_part, store_part (the first n bytes alone touch memory), each (one block to every lane),
 * first (one block to the first lane, zeros to the others), sum (of all lanes), add32, xor, xor3,
 * shuffle8 (within lanes), swap (the halves of each lane), clmul_ll, _lh, _hl, _hh (low or high
 * half of each lane's first and second operand), aes, aes_last. */

enum { NAME(GROUP) = 8 * LANES, NAME(GROUP_BYTES) = 16 * NAME(GROUP) };

/* A product before reduction: high << 128 ^ middle << 64 ^ low, in every lane; lanes are summed in
 * the end. */
struct PRODUCT {
    VEC low, middle, high;
};

WIDE void NAME(multiply_add)(struct PRODUCT *s, VEC a, VEC b)
{
    s->low = NAME(xor)(s->low, NAME(clmul_ll)(a, b));
    s->high = NAME(xor)(s->high, NAME(clmul_hh)(a, b));
    s->middle = NAME(xor3)(s->middle, NAME(clmul_lh)(a, b), NAME(clmul_hl)(a, b));
}

/* Two folds of 64 bits, each a product with the polynomial: see the head of gcm_vaes.c. */
WIDE __m128i NAME(reduce)(const struct PRODUCT *s)
{
    const VEC poly = NAME(each)(_mm_set_epi64x(0, (int64_t)POLY));
    VEC m = NAME(xor3)(s->middle, NAME(swap)(s->low), NAME(clmul_ll)(s->low, poly));
    VEC h = NAME(xor3)(s->high, NAME(swap)(m), NAME(clmul_ll)(m, poly));
    return NAME(sum)(h);
}

/* One vector of keystream, xored to in. */
WIDE VEC NAME(crypt)(const struct vaes_state *s, VEC *counter, VEC in)
{
    VEC b = NAME(shuffle8)(*counter, NAME(each)(counter_order()));
    *counter = NAME(add32)(*counter, NAME(each)(_mm_set_epi32(LANES, 0, 0, 0)));
    b = NAME(xor)(b, NAME(each)(round_key(s, 0)));
    for (size_t i = 1; i < s->rounds; i++)
        b = NAME(aes)(b, NAME(each)(round_key(s, i)));
    return NAME(aes_last)(b, NAME(xor)(in, NAME(each)(round_key(s, s->rounds))));
}

/* The stitched step: with do_crypt, en- or decrypts the group of 8 vectors at p; with do_hash,
 * folds the group at x, which is ciphertext, into y. Between two AES rounds stands the hashing of
 * one vector, so that both kinds of unit stay busy whatever the processor can reorder. Group and
 * counters stay in registers; both flags are constants where this is called. */
#define EACH_OF_8(step) step(0) step(1) step(2) step(3) step(4) step(5) step(6) step(7)
#define START(i)                                                                                   \
    b[i] = NAME(xor)(NAME(shuffle8)(*counter, order), key);                                        \
    *counter = NAME(add32)(*counter, step);
#define ROUND(i) b[i] = NAME(aes)(b[i], key);
#define FINISH(i)                                                                                  \
    b[i] = NAME(aes_last)(b[i], NAME(xor)(key, NAME(load)(p + (i) * sizeof(VEC))));                \
    NAME(store)(p + (i) * sizeof(VEC), b[i]);
#define ROUNDS(r)                                                                                  \
    if (do_crypt) {                                                                                \
        key = NAME(each)(round_key(s, r));                                                         \
        EACH_OF_8(ROUND)                                                                           \
    }

WIDE void NAME(group)(const struct vaes_state *s, VEC *counter, __m128i *y, uint8_t *p,
    const uint8_t *x, bool do_crypt, bool do_hash)
{
    const VEC order = NAME(each)(counter_order());
    const VEC reverse = NAME(each)(byte_reverse());
    const VEC step = NAME(each)(_mm_set_epi32(LANES, 0, 0, 0));
    const uint8_t *power = power_of_h(s, NAME(GROUP));
    struct PRODUCT sum = {0};
    VEC b[8], key;
    VEC carry = NAME(first)(*y);
    if (do_crypt) {
        key = NAME(each)(round_key(s, 0));
        EACH_OF_8(START)
    }
    for (size_t i = 0; i < 8; i++) {
        if (do_hash) {
            VEC c = NAME(shuffle8)(NAME(load)(x + i * sizeof(VEC)), reverse);
            NAME(multiply_add)(&sum, NAME(xor)(c, carry), NAME(load)(power + i * sizeof(VEC)));
            carry = NAME(first)(_mm_setzero_si128());
        }
        ROUNDS(i + 1)
    }
    if (do_hash)
        *y = NAME(reduce)(&sum);
    if (do_crypt) {
        ROUNDS(9)
        for (size_t r = 10; r < s->rounds; r++) {
            ROUNDS(r)
        }
        key = NAME(each)(round_key(s, s->rounds));
        EACH_OF_8(FINISH)
    }
}

/* What is left after whole groups, less than a group, and the block of lengths: one aggregate. */
WIDE __m128i NAME(tail)(const struct vaes_state *s, VEC counter, __m128i y, uint8_t *p, size_t n,
    __m128i lengths, bool is_seal)
{
    const uint8_t *power = power_of_h(s, (n + 15) / 16 + 1);
    const VEC reverse = NAME(each)(byte_reverse());
    struct PRODUCT sum = {0};
    VEC carry = NAME(first)(y); /* goes into whatever block comes first */
    for (; n >= sizeof(VEC); n -= sizeof(VEC), p += sizeof(VEC), power += sizeof(VEC)) {
        VEC in = NAME(load)(p);
        VEC out = NAME(crypt)(s, &counter, in);
        NAME(store)(p, out);
        VEC c = NAME(xor)(NAME(shuffle8)(is_seal ? out : in, reverse), carry);
        NAME(multiply_add)(&sum, c, NAME(load)(power));
        carry = NAME(first)(_mm_setzero_si128());
    }
    if (n > 0) {
        VEC in = NAME(load_part)(p, n);
        VEC out = NAME(cut)(NAME(crypt)(s, &counter, in), n);
        NAME(store_part)(p, out, n);
        VEC c = NAME(xor)(NAME(shuffle8)(is_seal ? out : in, reverse), carry);
        NAME(multiply_add)(&sum, c, NAME(load)(power)); /* empty lanes add nothing */
        carry = NAME(first)(_mm_setzero_si128());
    }
    VEC c = NAME(xor)(NAME(first)(lengths), carry);
    NAME(multiply_add)(&sum, c, NAME(first)(load_block(power_of_h(s, 1))));
    return NAME(reduce)(&sum);
}

WIDE void NAME(run)(const void *state, const uint8_t j0[16], struct bytes aad, uint8_t *p, size_t n,
    uint8_t tag[GCM_TAG_BYTES], bool is_seal)
{
    const struct vaes_state *s = state;
    const __m128i base = _mm_shuffle_epi8(load_block(j0), counter_order());
    const __m128i lengths = _mm_set_epi64x((int64_t)(aad.n * 8), (int64_t)(n * 8));
    VEC counter = NAME(add32)(NAME(each)(base), NAME(count)());
    const __m128i mask = encrypt_block(s, load_block(j0));
    __m128i y = hash_aad(s, aad);
    bool is_behind = is_seal && n >= NAME(GROUP_BYTES); /* ciphertext waits to be hashed */
    if (is_behind) {
        NAME(group)(s, &counter, &y, p, p, true, false);
        p += NAME(GROUP_BYTES);
        n -= NAME(GROUP_BYTES);
    }
    for (; n >= NAME(GROUP_BYTES); n -= NAME(GROUP_BYTES), p += NAME(GROUP_BYTES))
        NAME(group)(s, &counter, &y, p, is_seal ? p - NAME(GROUP_BYTES) : p, true, true);
    if (is_behind)
        NAME(group)(s, &counter, &y, p, p - NAME(GROUP_BYTES), false, true);
    y = NAME(tail)(s, counter, y, p, n, lengths, is_seal);
    store_block(tag, _mm_xor_si128(_mm_shuffle_epi8(y, byte_reverse()), mask));
}

#undef EACH_OF_8
#undef START
#undef ROUND
#undef FINISH
#undef ROUNDS
