#pragma once
/*
 * Strict parsing and formatting of the small things: numbers, sizes, UUIDs, MAC addresses, times, hex, base64.
 * Parsers accept the whole string or nothing: 0, or -EINVAL / -ERANGE with the result untouched.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define UUID_LEN 36 /* text without NUL */
#define MAC_LEN 17

int str_to_u64(const char *s, uint64_t *ret); /* decimal digits only */
int str_to_i64(const char *s, int64_t *ret);  /* optional leading minus */
int str_to_bool(const char *s, bool *ret);    /* yes/no, true/false, on/off, 1/0 */
/* "4096", "64K", "10M", "2G", "1T" (powers of 1024; KiB, MiB… too), "10MB", "120GB" (powers of 1000). */
int str_to_size(const char *s, uint64_t *ret_bytes);
/* "5" (seconds), "500ms", "10s", "3m", "2h". */
int str_to_ms(const char *s, uint64_t *ret_ms);

bool str_eq(const char *a, const char *b); /* NULL equals NULL only */
bool str_starts(const char *s, const char *prefix);
bool str_ends(const char *s, const char *suffix);
bool str_empty(const char *s); /* NULL or "" */
/* Cuts white space at both ends in place; returns the start inside @s. */
char *str_trim(char *s);
/* strdup() that takes NULL (gives NULL). */
char *str_dup(const char *s);
/* asprintf() that returns the string, NULL = no memory. */
char *str_printf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Replaces *@dst (freeing it) by a copy of @s (NULL allowed). 0 or -ENOMEM. */
int str_set(char **dst, const char *s);
/* Copies with cut and NUL; returns true when it fitted. */
bool str_copy(char *dst, size_t size, const char *s);
/* Is it valid UTF-8 without control characters other than tab and newline? */
bool str_is_text(const char *s);
/* In place: every byte that is not part of valid UTF-8 becomes '?'. */
void str_make_utf8(char *s);

bool uuid_is_valid(const char *s);        /* 8-4-4-4-12 hex digits, either case */
void uuid_random(char ret[UUID_LEN + 1]); /* version 4, lower case, from getrandom(2) */
/* 16 bytes as 8-4-4-4-12 lower-case hex, no version bits. */
void uuid_format(const uint8_t bytes[16], char ret[UUID_LEN + 1]);
bool mac_is_valid(const char *s); /* aa:bb:cc:dd:ee:ff, either case */

/* Lower-case hex; @ret has 2*len+1 bytes. */
void hex_encode(const void *data, size_t len, char *ret);
int hex_decode(const char *s, void *ret, size_t len); /* exactly 2*len digits */
/* Standard alphabet with padding (or URL-safe without, RFC 4648 §5). Result owned by the caller; NULL = no memory. */
char *base64_encode(const void *data, size_t len);
char *base64url_encode(const void *data, size_t len);
/* -EINVAL on any foreign character or bad padding. *ret_data (owned by the caller) has a NUL behind *ret_len bytes. */
int base64_decode(const char *s, size_t len, void **ret_data, size_t *ret_len);
int base64url_decode(const char *s, size_t len, void **ret_data, size_t *ret_len);
/* Percent-encodes all but RFC 3986 unreserved characters (and '/' when @keep_slash). NULL = no memory. */
char *url_encode(const char *s, bool keep_slash);

/* Times are microseconds since the epoch, UTC; 0 means "unset" and prints as 0001-01-01. */
int64_t time_now_us(void);  /* CLOCK_REALTIME */
int64_t time_mono_ms(void); /* CLOCK_MONOTONIC */
#define TIME_TEXT_LEN 32
/* 2026-08-21T01:54:00.123Z: always three digits (assisted-v2 §1.2, model date-times). */
void time_format_ms(int64_t us, char ret[TIME_TEXT_LEN]);
/* Go RFC3339Nano: 2026-08-21T01:54:00.12345Z, trailing zeros and an empty fraction left out; unset = 0001-01-01T00:00:00Z. */
void time_format_nano(int64_t us, char ret[TIME_TEXT_LEN]);
int time_parse(const char *s, int64_t *ret_us); /* RFC 3339 with any fraction; Z or +hh:mm */
