/* What the programs of tests/ct share: secrets are marked undefined for valgrind's memcheck, which
 * then reports every branch and every address that depends on one. Results that go to the other
 * side are made public with ct_public() of crypto/ct.h; the one linked here tells valgrind. */
#ifndef TESTS_CT_MARK_H
#define TESTS_CT_MARK_H

#include <valgrind/memcheck.h>

#include "crypto/ct.h"
#include "crypto/rng.h"

/* Names the program for ct_report() and starts the libraries; ends it when it runs without
 * valgrind, where nothing would be shown. */
void ct_start(const char *program);
void ct_secret(void *p, size_t n);
/* Is every byte marked? A secret that is not would mean that a program shows nothing. */
bool ct_is_secret(const void *p, size_t n);
/* A replayable stream whose every byte is marked. */
extern struct rng ct_rng;
/* Prints a line; 0 when ok, else 1, for main() to return. */
int ct_report(const char *what, bool ok);

#endif
