/* SPDX-License-Identifier: ISC */
#include "scanner/dissect_inside.h"

void dissect_mail(
	struct dissection *dissection, struct span message, struct result *result_r)
{
	struct dissection *di = dissection;

	parts_done(&di->parts);
	di->parts.is_open = true;
	dissect(di, message, result_r);
	di->parts.is_open = false;
	if (result_r->kind != VERDICT_CLEAN || result_r->signature[0] ||
		allowance_said(engine_allowance(di->engine))[0])
		parts_done(&di->parts);
}

/* Text in its own bytes, for all that depends on its line ends or on where it starts and ends: hashes,
 * patterns at an offset or over more than one line, files in it. What is not done again is to look at
 * it in the normal forms of libclamav, where CR LF is what LF is: a blank (textnorm.c, htmlnorm.c;
 * a form may have a blank less at its end, or where HTML of over 8 KB is read on). If there is
 * anything in it, or it is not the text that it was taken for, this was not enough. */
static bool scan_as_is(
	struct dissection *di, struct span bytes, unsigned kinds, struct result *result_r)
{
	di->is_as_is = true;
	dissect(di, bytes, result_r);
	di->is_as_is = false;
	return result_r->kind == VERDICT_CLEAN && !result_r->signature[0] &&
	       parts_were_text(&di->parts, kinds);
}

int dissect_part(struct dissection *dissection, struct span part, struct result *result_r,
	struct err *err)
{
	struct dissection *di = dissection;
	unsigned kinds;
	bool found;

	result_init(result_r);
	if (parts_find(&di->parts, part, &found, err) < 0)
		return -1;
	if (found)
		return 0;
	if (parts_find_text(&di->parts, part, &kinds, err) < 0)
		return -1;
	if (kinds == 0 || !scan_as_is(di, part, kinds, result_r))
		dissect(di, part, result_r);
	return 0;
}
