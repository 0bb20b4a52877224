/* Finite-field Diffie-Hellman: the primes follow their formula, values are those published or
 * computed elsewhere, and what is weak is refused. */
#include "crypto/dh.h"

#include <string.h>

#include "crypto/hash.h"
#include "tests/unit/unit.h"

static uint8_t exponent[KEX_STATE_MAX];
static uint8_t share[KEX_SHARE_MAX], secret[KEX_SECRET_MAX];
static size_t share_n, secret_n;

/* A source that hands out what it was told to, right-aligned as numbers are. */
static uint8_t script[DH_EXPONENT_BYTES];
static void scripted(struct rng *r, uint8_t *out, size_t n)
{
    (void)r;
    CU_ASSERT_EQUAL_FATAL(n, sizeof script);
    memcpy(out, script, n);
}
static struct rng scripted_rng(const char *hex)
{
    uint8_t number[DH_EXPONENT_BYTES];
    size_t n = unit_hex(hex, number, sizeof number);
    memset(script, 0, sizeof script);
    memcpy(script + sizeof script - n, number, n);
    return (struct rng){.fill = scripted};
}

/* ---- the primes ------------------------------------------------------------------------------ */

/* Fixed-point numbers: word 0 is the whole part, the others are the fraction. */
enum { WORDS = 4096 / 32 + 2 };
struct fixed {
    uint32_t w[WORDS];
};

static bool divide(struct fixed *x, uint32_t by)
{
    uint64_t rest = 0;
    uint32_t any = 0;
    for (size_t i = 0; i < WORDS; i++) {
        rest = rest << 32 | x->w[i];
        x->w[i] = (uint32_t)(rest / by);
        rest %= by;
        any |= x->w[i];
    }
    return any != 0;
}

static void multiply(struct fixed *x, uint32_t by)
{
    uint64_t carry = 0;
    for (size_t i = WORDS; i-- > 0;) {
        carry += (uint64_t)x->w[i] * by;
        x->w[i] = (uint32_t)carry;
        carry >>= 32;
    }
}

/* a = a + b, or a - b. */
static void add(struct fixed *a, const struct fixed *b, bool is_minus)
{
    uint64_t carry = is_minus ? 1 : 0;
    for (size_t i = WORDS; i-- > 0;) {
        carry += (uint64_t)a->w[i] + (is_minus ? ~b->w[i] : b->w[i]);
        a->w[i] = (uint32_t)carry;
        carry >>= 32;
    }
}

/* times * arctan(1/x) = times * (1/x - 1/3x^3 + 1/5x^5 - ...). */
static struct fixed arctan(uint32_t times, uint32_t x)
{
    struct fixed power = {{times}}, sum = {{0}};
    (void)divide(&power, x);
    bool is_minus = false;
    for (uint32_t k = 1;; k += 2) {
        struct fixed term = power;
        if (!divide(&term, k))
            return sum;
        add(&sum, &term, is_minus);
        is_minus = !is_minus;
        (void)divide(&power, x * x);
    }
}

/* RFC 3526: 2^n - 2^(n-64) - 1 + 2^64 * (floor(2^(n-130) * pi) + c), so 64 ones, then pi from its
 * first bit on plus c-1, then 64 ones. Pi by Machin's 16 arctan(1/5) - 4 arctan(1/239). */
static void check_prime(const struct dh_group *d, size_t n, uint32_t c)
{
    struct fixed pi = arctan(16, 5), minus = arctan(4, 239);
    add(&pi, &minus, true);
    multiply(&pi, 1u << 30); /* its two bits in front of the point lead word 0 now */
    uint32_t carry = c - 1;
    for (size_t i = (n - 128) / 32; i-- > 0;) {
        pi.w[i] += carry;
        carry = pi.w[i] < carry ? 1 : 0;
    }
    CU_ASSERT_EQUAL_FATAL(d->p.n, n / 8);
    CU_ASSERT_EQUAL(dh_bits(d), n);
    CU_ASSERT_EQUAL(load_be32(d->p.p), UINT32_MAX);
    CU_ASSERT_EQUAL(load_be32(d->p.p + 4), UINT32_MAX);
    CU_ASSERT_EQUAL(load_be32(d->p.p + n / 8 - 8), UINT32_MAX);
    CU_ASSERT_EQUAL(load_be32(d->p.p + n / 8 - 4), UINT32_MAX);
    for (size_t i = 0; i < (n - 128) / 32; i++)
        CU_ASSERT_EQUAL(load_be32(d->p.p + 8 + 4 * i), pi.w[i]);
    CU_ASSERT_TRUE(bytes_equal(d->g, BYTES_LIT("\2")));
    CU_ASSERT_PTR_NULL(dh_group_flaw(d));
}

static void the_primes_follow_the_formula_of_rfc_3526(void)
{
    check_prime(&dh_group14, 2048, 124476);
    check_prime(&dh_group15, 3072, 1690314);
    check_prime(&dh_group16, 4096, 240904);
}

/* ---- values ---------------------------------------------------------------------------------- */

/* RFC 5114 section 2.2, and appendix A.2 for the values of both parties. */
#define RFC5114_P                                                                                  \
    "AD107E1E9123A9D0D660FAA79559C51FA20D64E5683B9FD1B54B1597B61D0A75"                             \
    "E6FA141DF95A56DBAF9A3C407BA1DF15EB3D688A309C180E1DE6B85A1274A0A6"                             \
    "6D3F8152AD6AC2129037C9EDEFDA4DF8D91E8FEF55B7394B7AD5B7D0B6C12207"                             \
    "C9F98D11ED34DBF6C6BA0B2C8BBC27BE6A00E0A0B9C49708B3BF8A3170918836"                             \
    "81286130BC8985DB1602E714415D9330278273C7DE31EFDC7310F7121FD5A074"                             \
    "15987D9ADC0A486DCDF93ACC44328387315D75E198C641A480CD86A1B9E587E8"                             \
    "BE60E69CC928B2B9C52172E413042E9B23F10B0E16E79763C9B53DCF4BA80A29"                             \
    "E3FB73C16B8E75B97EF363E2FFA31F71CF9DE5384E71B81C0AC4DFFE0C10E64F"
#define RFC5114_G                                                                                  \
    "AC4032EF4F2D9AE39DF30B5C8FFDAC506CDEBE7B89998CAF74866A08CFE4FFE3"                             \
    "A6824A4E10B9A6F0DD921F01A70C4AFAAB739D7700C29F52C57DB17C620A8652"                             \
    "BE5E9001A8D66AD7C17669101999024AF4D027275AC1348BB8A762D0521BC98A"                             \
    "E247150422EA1ED409939D54DA7460CDB5F6C6B250717CBEF180EB34118E98D1"                             \
    "19529A45D6F834566E3025E316A330EFBB77A86F0C1AB15B051AE3D428C8F8AC"                             \
    "B70A8137150B8EEB10E183EDD19963DDD9E263E4770589EF6AA21E7F5F2FF381"                             \
    "B539CCE3409D13CD566AFBB48D6C019181E1BCFE94B30269EDFE72FE9B6AA4BD"                             \
    "7B5A0F1C71CFFF4C19C418E1F6EC017981BC087F2A7065B384B890D3191F2BFA"
#define RFC5114_XA "22E62601DBFFD06708A680F747F361F76D8F4F721A0548E483294B0C"
#define RFC5114_XB "4FF3BC96C7FC6A6D71D3B363800A7CDFEF6FC41B4417EA15353B7590"
#define RFC5114_YA                                                                                 \
    "1B3A63451BD886E699E67B494E288BD7F8E0D370BADDA7A0EFD2FDE7D8F66145"                             \
    "CC9F280419975EB808877C8A4C0C8E0BD48D4A5401EB1E8776BFEEE134C03831"                             \
    "AC273CD9D635AB0CE006A42A887E3F52FB8766B650F38078BC8EE8580CEFE243"                             \
    "968CFC4F8DC3DB084554171D41BF2E861B7BB4D69DD0E01EA387CBAA5CA672AF"                             \
    "CBE8BDB9D62D4CE15F17DD36F91ED1EEDD65CA4A06455CB94CD40A52EC360E84"                             \
    "B3C926E22C4380A3BF309D56849768B7F52CFDF655FD053A7EF706979E7E5806"                             \
    "B17DFAE53AD2A5BC568EBB529A7A61D68D256F8FC97C074A861D827E2EBC8C61"                             \
    "34553115B70E7103920AA16D85E52BCBAB8D786A68178FA8FF7C2F5C71648D6F"
#define RFC5114_YB                                                                                 \
    "4DCEE992A9762A13F2F83844AD3D77EE0E31C9718B3DB6C2035D3961182C3E0B"                             \
    "A247EC4182D760CD48D99599970622A1881BBA2DC822939C78C3912C6661FA54"                             \
    "38B20766222B75E24C2E3AD0C7287236129525EE15B5DD7998AA04C4A9696CAC"                             \
    "D7172083A97A81664EAD2C479E444E4C0654CC19E28D7703CEE8DACD6126F5D6"                             \
    "65EC52C67255DB92014B037EB621A2AC8E365DE071FFC1400ACF077A12913DD8"                             \
    "DE89473437AB7BA346743C1B215DD9C12164A7E4053118D199BEC8EF6FC56117"                             \
    "0C84C87D10EE9A674A1FA8FFE13BDFBA1D44DE48946D68DC0CDD777635A7AB5B"                             \
    "FB1E4BB7B856F96827734C184138E915D9C3002EBCE53120546A7E2002142B6C"
#define RFC5114_Z                                                                                  \
    "34D9BDDC1B42176C313FEA034C21034D074A6313BB4ECDB3703FFF424567A46B"                             \
    "DF75530EDE0A9DA5229DE7D76732286CBC0F91DA4C3C852FC099C679531D94C7"                             \
    "8AB03D9DECB0A4E4CA8B2BB4591C4021CF8CE3A20A541D33994017D0200AE2C9"                             \
    "516E2FF5145779269E862B0FB474A2D56DC31ED569A7700B4C4AB16B22A45513"                             \
    "531EF523D71212077B5A169BDEFFAD7AD9608284C7795B6D5A5183B87066DE17"                             \
    "D8D671C9EBD8EC89544D45EC061593D442C62AB9CE3B1CB9943A1D23A5EA3BCF"                             \
    "21A01471E67E003E7F8A69C728BE490B2FC88CFEB92DB6A215E5D03C17C464C9"                             \
    "AC1A46E203E13F952995FB03C69D3CC47FCB510B6998FFD3AA6DE73CF9F63869"

static void check_hex(const uint8_t *p, size_t n, const char *hex)
{
    uint8_t want[600];
    size_t want_n = unit_hex(hex, want, sizeof want);
    CU_ASSERT_TRUE(n == want_n && memcmp(p, want, n) == 0);
}

static void the_published_shares_and_secret_come_out(void)
{
    static const struct {
        const char *x, *mine, *theirs;
    } parties[] = {{RFC5114_XA, RFC5114_YA, RFC5114_YB}, {RFC5114_XB, RFC5114_YB, RFC5114_YA}};
    uint8_t p[256], g[256], theirs[256];
    unit_hex(RFC5114_P, p, sizeof p);
    unit_hex(RFC5114_G, g, sizeof g);
    struct dh_group d = {{p, sizeof p}, {g, sizeof g}};
    CU_ASSERT_PTR_NULL(dh_group_flaw(&d));
    for (size_t i = 0; i < 2; i++) {
        struct rng rng = scripted_rng(parties[i].x);
        CU_ASSERT_EQUAL_FATAL(dh_start(&d, &rng, exponent, share, &share_n), ERR_OK);
        check_hex(share, share_n, parties[i].mine);
        unit_hex(parties[i].theirs, theirs, sizeof theirs);
        struct bytes them = {theirs, sizeof theirs};
        CU_ASSERT_EQUAL_FATAL(dh_finish(&d, exponent, them, secret, &secret_n), ERR_OK);
        check_hex(secret, secret_n, "00000100" RFC5114_Z);
        CU_ASSERT_EQUAL_FATAL(dh_reply(&d, &rng, them, share, &share_n, secret, &secret_n), ERR_OK);
        check_hex(share, share_n, parties[i].mine);
        check_hex(secret, secret_n, "00000100" RFC5114_Z);
    }
}

/* In Python, p being the prime and mpint() the content of an mpint:
 *     a, b = (int.from_bytes(bytes(r), 'big') for r in (range(1, 65), range(64, 0, -1)))
 *     A, B, K = (mpint(pow(2, e, p)) for e in (a, b, a * b))
 *     sha256(A), sha256(B), sha256(len(K).to_bytes(4, 'big') + K) */
#define UP                                                                                         \
    "0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20"                             \
    "2122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f40"
#define DOWN                                                                                       \
    "403f3e3d3c3b3a393837363534333231302f2e2d2c2b2a292827262524232221"                             \
    "201f1e1d1c1b1a191817161514131211100f0e0d0c0b0a090807060504030201"

static void check_sha256(const uint8_t *p, size_t n, const char *hex)
{
    uint8_t digest[32];
    hash_once(HASH_SHA256, (struct bytes){p, n}, digest);
    check_hex(digest, sizeof digest, hex);
}

static void the_fixed_groups_give_what_python_computes(void)
{
    static const struct {
        const struct dh_group *d;
        const char *a, *b, *k;
        size_t a_n, b_n, k_n;
    } cases[] = {
        {&dh_group14, "412e8160a129808cd7abcdc486ad36a8247a0ef5ad9812e5a4b63d4f7735a8fe",
            "9f015e5fc1e149f4a2e20616888ed91e91c1f3ecd3719b21efd3638dfd510b9a",
            "4125c8f1ae8c277110f07758e90ca1a734305cf0c836ccb4ec76e4c22327a982", 257, 256, 256},
        {&dh_group15, "077dffd743a6dda7e2400cb20075f1619d72d9eb8c6fb5d0c2af92940f79bddc",
            "55eec9345d74af48035b7c5be62fc6a17e57aedf1c4645154e2e2c32121fa0d3",
            "0b5dd1ce4f42f6b3208fa00bfbd84ee001df391afc723d75756cc9dadb2e3581", 384, 384, 384},
        {&dh_group16, "0439872574dafc9b300359ea0dd742c3976ccf9fa56883bdb8268462adedf8cf",
            "9f28bf162efaab697f912149711e9c0bcd4f401311d5e16c5293bc250edf526b",
            "27facfbdff2a2947a65483ef22bcc614a9f57a48faf1ef354b2753a8f0663dce", 512, 513, 513},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct rng rng = scripted_rng(UP);
        uint8_t theirs[KEX_SHARE_MAX], k[KEX_SECRET_MAX];
        size_t theirs_n, k_n;
        CU_ASSERT_EQUAL_FATAL(dh_start(cases[i].d, &rng, exponent, share, &share_n), ERR_OK);
        CU_ASSERT_EQUAL(share_n, cases[i].a_n);
        check_sha256(share, share_n, cases[i].a);
        rng = scripted_rng(DOWN);
        CU_ASSERT_EQUAL_FATAL(dh_reply(cases[i].d, &rng, (struct bytes){share, share_n}, theirs,
                                  &theirs_n, secret, &secret_n),
            ERR_OK);
        CU_ASSERT_EQUAL(theirs_n, cases[i].b_n);
        check_sha256(theirs, theirs_n, cases[i].b);
        CU_ASSERT_EQUAL(secret_n, 4 + cases[i].k_n);
        check_sha256(secret, secret_n, cases[i].k);
        CU_ASSERT_EQUAL_FATAL(
            dh_finish(cases[i].d, exponent, (struct bytes){theirs, theirs_n}, k, &k_n), ERR_OK);
        CU_ASSERT_TRUE(k_n == secret_n && memcmp(k, secret, k_n) == 0);
    }
}

static void the_table_has_the_groups_of_its_names(void)
{
    struct rng rng = scripted_rng(UP);
    const struct kex_method *m = kex_find(BYTES_LIT("diffie-hellman-group14-sha256"));
    CU_ASSERT_TRUE_FATAL(m != NULL && m->hash == HASH_SHA256);
    CU_ASSERT_EQUAL(m->start(&rng, exponent, share, &share_n), ERR_OK);
    check_sha256(
        share, share_n, "412e8160a129808cd7abcdc486ad36a8247a0ef5ad9812e5a4b63d4f7735a8fe");
    m = kex_find(BYTES_LIT("diffie-hellman-group16-sha512"));
    CU_ASSERT_TRUE_FATAL(m != NULL && m->hash == HASH_SHA512);
    CU_ASSERT_EQUAL(m->start(&rng, exponent, share, &share_n), ERR_OK);
    check_sha256(
        share, share_n, "0439872574dafc9b300359ea0dd742c3976ccf9fa56883bdb8268462adedf8cf");
    m = kex_find(BYTES_LIT("diffie-hellman-group-exchange-sha256"));
    CU_ASSERT_TRUE_FATAL(m != NULL && m->hash == HASH_SHA256);
    CU_ASSERT_TRUE(kex_is_group_exchange(m));
}

/* ---- liars ----------------------------------------------------------------------------------- */

/* p + delta, as an mpint's content. */
static struct bytes near_p(const struct dh_group *d, int delta, uint8_t *room)
{
    room[0] = 0;
    memcpy(room + 1, d->p.p, d->p.n);
    int carry = delta;
    for (size_t i = d->p.n; carry != 0 && i > 0; i--) {
        carry += room[i];
        room[i] = (uint8_t)carry;
        carry >>= 8;
    }
    return (struct bytes){room, 1 + d->p.n};
}

static void check_share(const struct dh_group *d, struct bytes them, enum err want)
{
    struct rng rng = rng_fixed(7);
    CU_ASSERT_EQUAL_FATAL(dh_start(d, &rng, exponent, share, &share_n), ERR_OK);
    secret_n = 99;
    CU_ASSERT_EQUAL(dh_finish(d, exponent, them, secret, &secret_n), want);
    CU_ASSERT_EQUAL(secret_n == 0, want != ERR_OK);
    secret_n = 99;
    CU_ASSERT_EQUAL(dh_reply(d, &rng, them, share, &share_n, secret, &secret_n), want);
    CU_ASSERT_EQUAL(secret_n == 0, want != ERR_OK);
    CU_ASSERT_EQUAL(share_n == 0, want != ERR_OK);
}

static void shares_outside_2_to_p_minus_2_are_refused(void)
{
    static const struct dh_group *const groups[] = {&dh_group14, &dh_group15, &dh_group16};
    uint8_t room[1 + DH_MAX_BITS / 8];
    for (size_t i = 0; i < 3; i++) {
        const struct dh_group *d = groups[i];
        check_share(d, BYTES_LIT(""), ERR_KEX);
        check_share(d, BYTES_LIT("\1"), ERR_KEX);
        check_share(d, BYTES_LIT("\2"), ERR_OK);
        check_share(d, near_p(d, -2, room), ERR_OK);
        for (int delta = -1; delta <= 2; delta++)
            check_share(d, near_p(d, delta, room), ERR_KEX);
    }
}

static void shares_that_are_no_mpints_or_too_long_are_refused(void)
{
    static uint8_t room[35000];
    check_share(&dh_group14, BYTES_LIT("\0"), ERR_KEX);     /* zero, padded */
    check_share(&dh_group14, BYTES_LIT("\0\2"), ERR_KEX);   /* two, padded */
    check_share(&dh_group14, BYTES_LIT("\xff"), ERR_KEX);   /* minus one */
    check_share(&dh_group14, BYTES_LIT("\x80\0"), ERR_KEX); /* very negative */
    check_share(&dh_group14, BYTES_LIT("\0\x80"), ERR_OK);  /* 128 needs its zero */
    memset(room, 0x7f, sizeof room);
    for (size_t n = 254; n < sizeof room; n += n < 260 ? 1 : 4000)
        check_share(&dh_group14, (struct bytes){room, n}, n <= 256 ? ERR_OK : ERR_KEX);
    room[0] = 0;
    memset(room + 1, 0xff, 1000);
    check_share(&dh_group14, (struct bytes){room, 257}, ERR_KEX);
    check_share(&dh_group14, (struct bytes){room, 1001}, ERR_KEX);
}

static void check_flaw(struct bytes p, struct bytes g, const char *want)
{
    const char *is = dh_group_flaw(&(struct dh_group){p, g});
    CU_ASSERT_STRING_EQUAL(is != NULL ? is : "none", want != NULL ? want : "none");
}

static void groups_that_must_not_be_used_are_named(void)
{
    static const char too_long[] = "its prime is longer than 4096 bits";
    static const char too_short[] = "its prime is shorter than 2048 bits";
    static const char generator[] = "its generator is not in 2..p-2";
    static const char *const tiny[] = {"", "\1", "\2", "\3", "\x17"};
    static uint8_t p[8192 / 8], room[1 + DH_MAX_BITS / 8];
    const struct bytes two = BYTES_LIT("\2");
    memset(p, 0xff, sizeof p);
    check_flaw((struct bytes){p, 256}, two, NULL);
    check_flaw((struct bytes){p, 512}, two, NULL);
    check_flaw((struct bytes){p, 513}, two, too_long);
    check_flaw((struct bytes){p, sizeof p}, two, too_long);
    for (size_t i = 0; i < 5; i++)
        check_flaw(bytes_of(tiny[i]), two, too_short);
    p[0] = 0x7f;
    check_flaw((struct bytes){p, 256}, two, too_short); /* 2047 bits */
    p[0] = 1;
    check_flaw((struct bytes){p, 257}, two, NULL);     /* 2049 */
    check_flaw((struct bytes){p, 513}, two, too_long); /* 4097 */
    p[0] = 0xff;
    p[255] = 0xfe;
    check_flaw((struct bytes){p, 256}, two, "its prime is even");

    const struct dh_group *d = &dh_group14;
    check_flaw(d->p, BYTES_LIT(""), generator);
    check_flaw(d->p, BYTES_LIT("\1"), generator);
    for (int delta = -2; delta <= 0; delta++) {
        struct bytes g = near_p(d, delta, room);
        check_flaw(d->p, (struct bytes){g.p + 1, g.n - 1}, delta == -2 ? NULL : generator);
    }
    check_flaw(d->p, dh_group16.p, generator);
}

/* Modulo 2^2048 - 1 two has the order 2048, so a multiple of it as exponent gives 1; p is no prime,
 * and p - 1 is out of reach. */
static void a_weak_share_or_secret_of_our_own_is_refused(void)
{
    static uint8_t p[256];
    memset(p, 0xff, sizeof p);
    struct dh_group d = {{p, sizeof p}, BYTES_LIT("\2")};
    struct rng rng = scripted_rng("3000");
    CU_ASSERT_EQUAL(dh_start(&d, &rng, exponent, share, &share_n), ERR_KEX);
    CU_ASSERT_EQUAL(share_n, 0);
    rng = scripted_rng("3001");
    CU_ASSERT_EQUAL_FATAL(dh_start(&d, &rng, exponent, share, &share_n), ERR_OK);
    check_hex(share, share_n, "02");
    CU_ASSERT_EQUAL(dh_finish(&d, exponent, BYTES_LIT("\4"), secret, &secret_n), ERR_OK);
    rng = scripted_rng("0400"); /* 4 to this is 1 */
    CU_ASSERT_EQUAL_FATAL(dh_start(&d, &rng, exponent, share, &share_n), ERR_OK);
    CU_ASSERT_EQUAL(dh_finish(&d, exponent, BYTES_LIT("\4"), secret, &secret_n), ERR_KEX);
    CU_ASSERT_EQUAL(secret_n, 0);
    CU_ASSERT_EQUAL(
        dh_reply(&d, &rng, BYTES_LIT("\4"), share, &share_n, secret, &secret_n), ERR_KEX);
    CU_ASSERT_EQUAL(secret_n, 0);
}

static const struct unit_test tests[] = {
    UNIT(the_primes_follow_the_formula_of_rfc_3526),
    UNIT(the_published_shares_and_secret_come_out),
    UNIT(the_fixed_groups_give_what_python_computes),
    UNIT(the_table_has_the_groups_of_its_names),
    UNIT(shares_outside_2_to_p_minus_2_are_refused),
    UNIT(shares_that_are_no_mpints_or_too_long_are_refused),
    UNIT(groups_that_must_not_be_used_are_named),
    UNIT(a_weak_share_or_secret_of_our_own_is_refused),
};

int main(void)
{
    return crypto_init() ? unit_main("dh", tests, sizeof tests / sizeof tests[0]) : 2;
}
