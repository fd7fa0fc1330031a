#include "hwprobe/cpuinfo.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include "common/str.h"

/* Splits the line at *@p: key without white space behind it, value without white space at both ends. Advances. */
struct line {
	const char *key, *value;
	size_t key_len, value_len;
};

static bool next_line(const char **p, struct line *ret)
{
	while (**p) {
		const char *start = *p, *end = strchrnul(start, '\n');
		*p = *end ? end + 1 : end;
		const char *colon = memchr(start, ':', (size_t)(end - start));
		if (!colon)
			continue;
		const char *key_end = colon, *value = colon + 1;
		while (key_end > start && isspace((unsigned char)key_end[-1]))
			key_end--;
		while (value < end && isspace((unsigned char)*value))
			value++;
		while (end > value && isspace((unsigned char)end[-1]))
			end--;
		*ret = (struct line){ start, value, (size_t)(key_end - start),
				      (size_t)(end - value) };
		return true;
	}
	return false;
}

static bool is_key(const struct line *l, const char *key)
{
	return l->key_len == strlen(key) && !memcmp(l->key, key, l->key_len);
}

char *cpuinfo_get(struct arena *a, const char *text, const char *key)
{
	struct line l;
	for (const char *p = text; next_line(&p, &l);)
		if (is_key(&l, key))
			return l.value_len ? arena_copy(a, l.value, l.value_len) : NULL;
	return NULL;
}

enum { VALUES_MAX = 16 }; /* kinds of CPUs in one machine; more are not told apart */

char *cpuinfo_most(struct arena *a, const char *text, const char *key)
{
	struct {
		const char *text;
		size_t len, count;
	} v[VALUES_MAX];
	size_t n = 0, best = 0;
	struct line l;
	for (const char *p = text; next_line(&p, &l);) {
		if (!is_key(&l, key) || !l.value_len)
			continue;
		size_t i = 0;
		while (i < n &&
		       (v[i].len != l.value_len || memcmp(v[i].text, l.value, l.value_len)))
			i++;
		if (i == VALUES_MAX)
			continue;
		if (i == n) {
			v[n].text = l.value;
			v[n].len = l.value_len;
			v[n++].count = 0;
		}
		v[i].count++;
	}
	for (size_t i = 1; i < n; i++)
		if (v[i].count > v[best].count)
			best = i;
	return n ? arena_copy(a, v[best].text, v[best].len) : NULL;
}

/* Is @word one of the words of the line? */
static bool has_word(const struct line *l, const char *word, size_t len)
{
	const char *end = l->value + l->value_len;
	for (const char *p = l->value; p + len <= end; p++) {
		p = memmem(p, (size_t)(end - p), word, len);
		if (!p)
			return false;
		if ((p == l->value || isblank((unsigned char)p[-1])) &&
		    (p + len == end || isblank((unsigned char)p[len])))
			return true;
	}
	return false;
}

/* Leaves in @words (NUL between them, *@len bytes) those that the line has, too. */
static void keep_common(char *words, size_t *len, const struct line *l)
{
	char *out = words;
	for (char *w = words, *end = words + *len; w < end;) {
		size_t n = strlen(w) + 1;
		if (has_word(l, w, n - 1)) {
			memmove(out, w, n);
			out += n;
		}
		w += n;
	}
	*len = (size_t)(out - words);
}

/* "a  b" becomes "a\0b\0"; the length of that. */
static size_t split_words(char *words)
{
	char *out = words, *save = NULL;
	for (char *w = strtok_r(words, " \t", &save); w; w = strtok_r(NULL, " \t", &save)) {
		size_t n = strlen(w) + 1;
		memmove(out, w, n);
		out += n;
	}
	return (size_t)(out - words);
}

char *cpuinfo_common(struct arena *a, const char *text, const char *key)
{
	char *words = NULL;
	size_t len = 0;
	struct line l, first = { 0 };
	for (const char *p = text; next_line(&p, &l);) {
		if (!is_key(&l, key))
			continue;
		if (!words) {
			first = l;
			words = arena_copy(a, l.value, l.value_len);
			if (!words)
				return NULL;
			len = split_words(words);
		} else if (l.value_len != first.value_len ||
			   memcmp(l.value, first.value, l.value_len)) { /* nearly never */
			keep_common(words, &len, &l);
		}
	}
	for (size_t i = 0; i + 1 < len; i++)
		if (!words[i])
			words[i] = ' ';
	return len ? words : NULL;
}

double cpuinfo_max(const char *text, const char *key)
{
	double max = 0;
	struct line l;
	for (const char *p = text; next_line(&p, &l);) {
		if (!is_key(&l, key))
			continue;
		double v = strtod(l.value, NULL);
		if (v > max && v < 1e9)
			max = v;
	}
	return max;
}

int64_t cpuinfo_processors(const char *text)
{
	int64_t n = 0;
	struct line l;
	for (const char *p = text ? text : ""; next_line(&p, &l);) {
		bool is_numbered = l.key_len > 10 && !memcmp(l.key, "processor ", 10) &&
				   isdigit((unsigned char)l.key[10]);
		n += is_numbered || is_key(&l, "processor");
	}
	return n;
}

/* --- arm: cpuinfo has numbers only ---------------------------------------------------------------------- */

struct arm_part {
	uint8_t implementer;
	uint16_t part;
	const char *name;
};

/* MIDR_EL1.PartNum, from the technical reference manuals; the kernel keeps the same numbers in arch/arm64/include/asm/cputype.h. */
static const struct arm_part arm_parts[] = {
	{ 0x41, 0xb76, "ARM1176" },
	{ 0x41, 0xc05, "Cortex-A5" },
	{ 0x41, 0xc07, "Cortex-A7" },
	{ 0x41, 0xc08, "Cortex-A8" },
	{ 0x41, 0xc09, "Cortex-A9" },
	{ 0x41, 0xc0d, "Cortex-A17" },
	{ 0x41, 0xc0e, "Cortex-A17" },
	{ 0x41, 0xc0f, "Cortex-A15" },
	{ 0x41, 0xd01, "Cortex-A32" },
	{ 0x41, 0xd02, "Cortex-A34" },
	{ 0x41, 0xd03, "Cortex-A53" },
	{ 0x41, 0xd04, "Cortex-A35" },
	{ 0x41, 0xd05, "Cortex-A55" },
	{ 0x41, 0xd06, "Cortex-A65" },
	{ 0x41, 0xd07, "Cortex-A57" },
	{ 0x41, 0xd08, "Cortex-A72" },
	{ 0x41, 0xd09, "Cortex-A73" },
	{ 0x41, 0xd0a, "Cortex-A75" },
	{ 0x41, 0xd0b, "Cortex-A76" },
	{ 0x41, 0xd0c, "Neoverse-N1" },
	{ 0x41, 0xd0d, "Cortex-A77" },
	{ 0x41, 0xd0e, "Cortex-A76AE" },
	{ 0x41, 0xd40, "Neoverse-V1" },
	{ 0x41, 0xd41, "Cortex-A78" },
	{ 0x41, 0xd42, "Cortex-A78AE" },
	{ 0x41, 0xd43, "Cortex-A65AE" },
	{ 0x41, 0xd44, "Cortex-X1" },
	{ 0x41, 0xd46, "Cortex-A510" },
	{ 0x41, 0xd47, "Cortex-A710" },
	{ 0x41, 0xd48, "Cortex-X2" },
	{ 0x41, 0xd49, "Neoverse-N2" },
	{ 0x41, 0xd4a, "Neoverse-E1" },
	{ 0x41, 0xd4b, "Cortex-A78C" },
	{ 0x41, 0xd4c, "Cortex-X1C" },
	{ 0x41, 0xd4d, "Cortex-A715" },
	{ 0x41, 0xd4e, "Cortex-X3" },
	{ 0x41, 0xd4f, "Neoverse-V2" },
	{ 0x41, 0xd80, "Cortex-A520" },
	{ 0x41, 0xd81, "Cortex-A720" },
	{ 0x41, 0xd82, "Cortex-X4" },
	{ 0x41, 0xd83, "Neoverse-V3AE" },
	{ 0x41, 0xd84, "Neoverse-V3" },
	{ 0x41, 0xd85, "Cortex-X925" },
	{ 0x41, 0xd87, "Cortex-A725" },
	{ 0x41, 0xd88, "Cortex-A520AE" },
	{ 0x41, 0xd89, "Cortex-A720AE" },
	{ 0x41, 0xd8e, "Neoverse-N3" },
	{ 0x42, 0x00f, "Brahma-B15" },
	{ 0x42, 0x100, "Brahma-B53" },
	{ 0x42, 0x516, "ThunderX2" },
	{ 0x43, 0x0a0, "ThunderX" },
	{ 0x43, 0x0a1, "ThunderX-88XX" },
	{ 0x43, 0x0a2, "ThunderX-81XX" },
	{ 0x43, 0x0a3, "ThunderX-83XX" },
	{ 0x43, 0x0af, "ThunderX2-99xx" },
	{ 0x43, 0x0b0, "OcteonTX2" },
	{ 0x43, 0x0b1, "OcteonTX2-98XX" },
	{ 0x43, 0x0b2, "OcteonTX2-96XX" },
	{ 0x43, 0x0b3, "OcteonTX2-95XX" },
	{ 0x43, 0x0b4, "OcteonTX2-95XXN" },
	{ 0x43, 0x0b5, "OcteonTX2-95XXMM" },
	{ 0x43, 0x0b6, "OcteonTX2-95XXO" },
	{ 0x43, 0x0b8, "ThunderX3-T110" },
	{ 0x46, 0x001, "A64FX" },
	{ 0x46, 0x003, "MONAKA" },
	{ 0x48, 0xd01, "TaiShan-v110" },
	{ 0x48, 0xd02, "TaiShan-v120" },
	{ 0x48, 0xd40, "Cortex-A76" },
	{ 0x48, 0xd41, "Cortex-A77" },
	{ 0x4e, 0x000, "Denver" },
	{ 0x4e, 0x003, "Denver 2" },
	{ 0x4e, 0x004, "Carmel" },
	{ 0x4e, 0x010, "Olympus" },
	{ 0x50, 0x000, "X-Gene" },
	{ 0x51, 0x001, "Oryon" },
	{ 0x51, 0x04d, "Krait" },
	{ 0x51, 0x06f, "Krait" },
	{ 0x51, 0x201, "Kryo" },
	{ 0x51, 0x205, "Kryo" },
	{ 0x51, 0x211, "Kryo" },
	{ 0x51, 0x800, "Falkor-V1/Kryo" },
	{ 0x51, 0x801, "Kryo-V2" },
	{ 0x51, 0x802, "Kryo-3XX-Gold" },
	{ 0x51, 0x803, "Kryo-3XX-Silver" },
	{ 0x51, 0x804, "Kryo-4XX-Gold" },
	{ 0x51, 0x805, "Kryo-4XX-Silver" },
	{ 0x51, 0xc00, "Falkor" },
	{ 0x51, 0xc01, "Saphira" },
	{ 0x53, 0x001, "exynos-m1" },
	{ 0x53, 0x002, "exynos-m3" },
	{ 0x53, 0x003, "exynos-m4" },
	{ 0x53, 0x004, "exynos-m5" },
	{ 0x56, 0x131, "Feroceon-88FR131" },
	{ 0x56, 0x581, "PJ4/PJ4b" },
	{ 0x56, 0x584, "PJ4B-MP" },
	{ 0x61, 0x022, "Icestorm-M1" },
	{ 0x61, 0x023, "Firestorm-M1" },
	{ 0x61, 0x024, "Icestorm-M1-Pro" },
	{ 0x61, 0x025, "Firestorm-M1-Pro" },
	{ 0x61, 0x028, "Icestorm-M1-Max" },
	{ 0x61, 0x029, "Firestorm-M1-Max" },
	{ 0x61, 0x032, "Blizzard-M2" },
	{ 0x61, 0x033, "Avalanche-M2" },
	{ 0x61, 0x034, "Blizzard-M2-Pro" },
	{ 0x61, 0x035, "Avalanche-M2-Pro" },
	{ 0x61, 0x038, "Blizzard-M2-Max" },
	{ 0x61, 0x039, "Avalanche-M2-Max" },
	{ 0x6d, 0xd49, "Azure-Cobalt-100" },
	{ 0x70, 0x303, "FTC310" },
	{ 0x70, 0x660, "FTC660" },
	{ 0x70, 0x661, "FTC661" },
	{ 0x70, 0x662, "FTC662" },
	{ 0x70, 0x663, "FTC663" },
	{ 0x70, 0x664, "FTC664" },
	{ 0x70, 0x862, "FTC862" },
	{ 0xc0, 0xac3, "Ampere-1" },
	{ 0xc0, 0xac4, "Ampere-1a" },
	{ 0xc0, 0xac5, "Ampere-1b" },
};

static const char *arm_name(unsigned implementer, unsigned part)
{
	for (size_t i = 0; i < sizeof(arm_parts) / sizeof(arm_parts[0]); i++)
		if (arm_parts[i].implementer == implementer && arm_parts[i].part == part)
			return arm_parts[i].name;
	return NULL;
}

enum { ARM_KINDS_MAX = 16 };

struct arm_kinds {
	struct {
		unsigned implementer, part, cpus;
	} v[ARM_KINDS_MAX];
	size_t n;
};

static void count_kind(struct arm_kinds *k, unsigned implementer, unsigned part)
{
	for (size_t i = 0; i < k->n; i++) {
		if (k->v[i].implementer == implementer && k->v[i].part == part) {
			k->v[i].cpus++;
			return;
		}
	}
	if (k->n == ARM_KINDS_MAX)
		return;
	k->v[k->n].implementer = implementer;
	k->v[k->n].part = part;
	k->v[k->n++].cpus = 1;
}

char *cpu_arm_model(struct arena *a, const char *text)
{
	struct arm_kinds kinds = { 0 };
	unsigned implementer = 0;
	struct line l;
	for (const char *p = text; next_line(&p, &l);) {
		if (is_key(&l, "CPU implementer"))
			implementer = (unsigned)strtoul(l.value, NULL, 0);
		else if (is_key(&l, "CPU part"))
			count_kind(&kinds, implementer, (unsigned)strtoul(l.value, NULL, 0));
	}
	size_t best = 0;
	for (size_t i = 1; i < kinds.n; i++)
		if (kinds.v[i].cpus > kinds.v[best].cpus)
			best = i;
	return kinds.n ? arena_dup(a, arm_name(kinds.v[best].implementer, kinds.v[best].part))
		       : NULL;
}
