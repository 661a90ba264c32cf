/* SPDX-License-Identifier: ISC
 *
 * One value of a settings file: from text into the member that its option names, with the range
 * check and the words that say what was expected. Pure. */
#ifndef COMMON_SCHEMA_VALUE_H
#define COMMON_SCHEMA_VALUE_H

#include "common/schema.h"

/* The member at offset of a struct. */
void *schema_member(void *settings, size_t offset);

/* Set it; a list gets one more item. SCHEMA_SECTION has no value. The text is copied. */
int schema_value_set(const struct schema_option *option, const char *text, void *settings,
	struct err *err);

/* Set it to the preset, or to what stands for "not given". */
int schema_value_preset(
	const struct schema_option *option, void *settings, struct err *err);

/* May the list hold so many? */
int schema_value_count(const struct schema_option *option, size_t count, struct err *err);

#endif
