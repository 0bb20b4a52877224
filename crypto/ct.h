/* Secrets: compare in constant time, wipe so that the compiler cannot forget it. */
#ifndef CRYPTO_CT_H
#define CRYPTO_CT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Time depends on n only. The answer is public, where they differ is not. */
bool ct_equal(const void *a, const void *b, size_t n);
/* The same with an answer that is secret as well: 0xff where they are equal, else 0. */
uint8_t ct_equal_mask(const void *a, const void *b, size_t n);
void secure_wipe(void *p, size_t n);
/* Memory for secrets: NULL when there is none; secret_free wipes n bytes first and accepts NULL. */
void *secret_alloc(size_t n);
void secret_free(void *p, size_t n);
/* Marks what was computed from secrets and is public from here on, so that a branch may depend on
 * it. Does nothing, but in tests/ct: those programs have one of their own that tells valgrind. */
void ct_public(const void *p, size_t n);

#endif
