/* SPDX-License-Identifier: ISC
 *
 * The words of a plain text: what in them could be a link, markup or something encoded. Pure, one
 * pass, no memory of its own. */
#ifndef MAILFILTER_JUDGE_WORDS_H
#define MAILFILTER_JUDGE_WORDS_H

#include "common/buf.h"

/* The reasons (enum judge_reason) that decoded text gives by itself. */
unsigned judge_words(struct span text);

#endif
