/* SPDX-License-Identifier: ISC */
#include "scanner/changed.h"

#include <string.h>

#include "scanner/pdf.h"

enum {
	SPARE = 8192, /* bytes that a file may gain */
	BLANK = ' ',
};

bool changed_must(const char *type, bool is_archive)
{
	static const char *const archives[] = { "CL_TYPE_GZ", "CL_TYPE_BZ",
		"CL_TYPE_CPIO", "CL_TYPE_POSIX_TAR", "CL_TYPE_OLD_TAR" };

	for (size_t i = 0; i < sizeof(archives) / sizeof(*archives); i++)
		if (strncmp(type, archives[i], strlen(archives[i])) == 0)
			return !is_archive;
	return strcmp(type, "CL_TYPE_IGNORED") == 0;
}

bool changed_already(struct span bytes)
{
	return bytes.data[0] == BLANK;
}

int changed_make(
	enum sniff_kind kind, struct span bytes, struct buf *out_r, struct err *err)
{
	buf_init(out_r, bytes.len + SPARE);
	if (kind == SNIFF_PDF)
		return pdf_add_trailer(bytes, out_r, err);
	if (buf_add(out_r, bytes.data, bytes.len, err) < 0)
		return -1;
	out_r->data[0] = BLANK;
	return 0;
}
