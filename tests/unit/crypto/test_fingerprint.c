/* Fingerprints and pictures of keys that ssh-keygen made, as ssh-keygen -lv shows them. */
#include "crypto/fingerprint.h"

#include <string.h>

#include "crypto/key.h"
#include "tests/unit/unit.h"

static const char ed25519[] =
    "AAAAC3NzaC1lZDI1NTE5AAAAIOaYRGbVv7/1QiH5xoNE3On/EuxLwsqYS+LS6dDY0J/0";
static const char rsa[] =
    "AAAAB3NzaC1yc2EAAAADAQABAAABAQC/C9/iYbp7YmAxf4Kf8iiEhYOo02hccEwYMvyZIuvfqkLBdipH"
    "eoZx1BR6bun3IVCdIuaZPruMehMsTcYbR6X7LYaJof2RDenuWwpNSnGNPZg5RlNNYJCNvVb4/EoDcEyK"
    "DObX5a14+GW7/i2CW4QdZw6BjDChUqnq1A/dbSD9eNfd11ASLAO5sfSJaFMwfOl00XmzIDtEa5c2W8r+"
    "TGO6iclXRv6qIJOHIG7aciwluKEUOdGBortfa6p0jDsaHuz2peHtiIV9sIv1o4abFf5ND6v9QDzFNmVP"
    "6WMNrA+MXwbibZv6OtUkXlyLuOpJQi1/hrOaPfeDyMhcNzDjqyG1";
static const char ecdsa[] =
    "AAAAE2VjZHNhLXNoYTItbmlzdHA1MjEAAAAIbmlzdHA1MjEAAACFBABLMeD7Ku+Sw0aWiFj/OI+kUknz"
    "ckspR7fpQj2ejJ0JxjFB+2gQvluUoRYjcfLRBXJLvPSZVQ67ntOlPsgW11LrAQAIUYnJxmfQc0N3ZFGn"
    "19zUw3QS0IbL4T/oWkJyJ6BdJYPq1WgVjGmb5IxLn2RZrqiWth4nVl8kSFyNyl5Y/T2TTQ==";

struct shown {
    const char *type, *b64;
    enum fingerprint_hash hash;
    const char *fingerprint, *picture;
};
static const struct shown cases[] = {
    {"ssh-ed25519", ed25519, FINGERPRINT_SHA256,
        "SHA256:vPLuHb4xgEVm0F3GWeteoxPGT88mFp+JJFfUcySlrjA",
        "+--[ED25519 256]--+\n"
        "|      .o+. oooo++|\n"
        "|       +. ..o .=o|\n"
        "|        .     o.o|\n"
        "|       +    .o.  |\n"
        "|      . S E. *+o.|\n"
        "|         o o=o*==|\n"
        "|      . . + .+++=|\n"
        "|       o o + ..o |\n"
        "|       o+ +.     |\n"
        "+----[SHA256]-----+"},
    {"ssh-ed25519", ed25519, FINGERPRINT_MD5, "MD5:a0:7b:0c:b7:8d:70:81:da:3f:5d:db:56:76:0a:77:97",
        "+--[ED25519 256]--+\n"
        "|                 |\n"
        "|     .           |\n"
        "|    . o          |\n"
        "|   o . o        .|\n"
        "|  . = o S . . +E+|\n"
        "|     O = . o = +.|\n"
        "|    . B o . o .  |\n"
        "|     . .   .     |\n"
        "|                 |\n"
        "+------[MD5]------+"},
    {"ssh-rsa", rsa, FINGERPRINT_SHA256, "SHA256:uwOXn/BFnP6m+aR1C8aIwdY2VjGWMaxJ3JJQAWOjORg",
        "+---[RSA 2048]----+\n"
        "|     E   *=o=*o  |\n"
        "|      o + o=.++  |\n"
        "|     . +  ..+o   |\n"
        "|        o .o=    |\n"
        "|        S= B     |\n"
        "|      . =.= *    |\n"
        "|       o.= + =o .|\n"
        "|        ..+ .=+..|\n"
        "|        ..  ++.. |\n"
        "+----[SHA256]-----+"},
    {"ssh-rsa", rsa, FINGERPRINT_MD5, "MD5:70:ea:cc:fc:ca:c6:72:cd:ef:a0:22:98:4b:c2:cb:ee",
        "+---[RSA 2048]----+\n"
        "|                 |\n"
        "|                 |\n"
        "|      . .        |\n"
        "|       +         |\n"
        "|      . S        |\n"
        "|.    =           |\n"
        "|.=   .=o.        |\n"
        "|* o o.+oo.       |\n"
        "|+E . =+..oo      |\n"
        "+------[MD5]------+"},
    {"ecdsa-sha2-nistp521", ecdsa, FINGERPRINT_SHA256,
        "SHA256:g3+DtsZ2lHZ7dgeFTdoPRopYi7lBrXKSgNFmOlTwRyY",
        "+---[ECDSA 521]---+\n"
        "|  o*E o  .       |\n"
        "|  o.=+  . o   . .|\n"
        "| . +...o * o o * |\n"
        "|  o  .+.B o . = +|\n"
        "|   .  .+So . . o.|\n"
        "|       ..o+ . . .|\n"
        "|       .+oo. . . |\n"
        "|       .+o... o o|\n"
        "|       o..   o ..|\n"
        "+----[SHA256]-----+"},
    {"ecdsa-sha2-nistp521", ecdsa, FINGERPRINT_MD5,
        "MD5:05:b4:26:ba:ee:be:8c:7e:a8:65:8b:83:93:6e:3d:ca",
        "+---[ECDSA 521]---+\n"
        "|       .o        |\n"
        "|         o       |\n"
        "|      . o .      |\n"
        "|     . o .       |\n"
        "|    .   S        |\n"
        "|     .           |\n"
        "|..+..            |\n"
        "|*=.B.            |\n"
        "|=E=+B.           |\n"
        "+------[MD5]------+"},
};
enum { N_CASES = sizeof cases / sizeof cases[0] };

static struct bytes blob_of(const struct shown *c, uint8_t *room, size_t cap)
{
    size_t n;
    CU_ASSERT_EQUAL(key_from_base64(bytes_of(c->type), bytes_of(c->b64), room, cap, &n), ERR_OK);
    return (struct bytes){room, n};
}

static void fingerprints_are_those_of_ssh_keygen(void)
{
    for (size_t i = 0; i < N_CASES; i++) {
        uint8_t room[1024];
        char out[FINGERPRINT_MAX];
        fingerprint(cases[i].hash, blob_of(&cases[i], room, sizeof room), out);
        CU_ASSERT_STRING_EQUAL(out, cases[i].fingerprint);
    }
}

static void pictures_are_those_of_ssh_keygen(void)
{
    for (size_t i = 0; i < N_CASES; i++) {
        uint8_t room[1024];
        char out[RANDOMART_MAX];
        fingerprint_randomart(cases[i].hash, blob_of(&cases[i], room, sizeof room), out);
        CU_ASSERT_STRING_EQUAL(out, cases[i].picture);
    }
}

/* Whatever the bytes, the picture keeps its size. */
static void a_blob_that_is_no_key_has_a_picture_too(void)
{
    for (unsigned i = 0; i < 256; i++) {
        uint8_t byte = (uint8_t)i;
        char out[RANDOMART_MAX];
        fingerprint_randomart(FINGERPRINT_SHA256, (struct bytes){&byte, 1}, out);
        CU_ASSERT_EQUAL(strlen(out), RANDOMART_MAX - 1);
    }
}

static const struct unit_test tests[] = {
    UNIT(fingerprints_are_those_of_ssh_keygen),
    UNIT(pictures_are_those_of_ssh_keygen),
    UNIT(a_blob_that_is_no_key_has_a_picture_too),
};
UNIT_MAIN("fingerprint", tests)
