/* SPDX-License-Identifier: ISC */
#include "scanner/heads.h"

#include <string.h>

#include "scanner/crc.h"
#include "scanner/little.h"

enum {
	SEVENZIP_CRC_AT = 8, /* of the bytes behind it */
	SEVENZIP_START_AT = 12,
	SEVENZIP_HEAD = 32,
	CAB_SIZE_AT = 8,
	CAB_FILES_AT = 16,
	CAB_VERSION_AT = 24, /* the minor one, then the major */
	CAB_COUNT_AT = 28,
	CAB_HEAD = 36,
	TAR_BLOCK = 512,
	TAR_SUM_AT = 148, /* in octal digits; counted as if blanks stood there */
	TAR_SUM_LEN = 8,
	ARJ_SIZE_AT = 2,
	ARJ_FIRST_AT = 4, /* here the bytes of the size begin */
	ARJ_FIRST_LEAST = 30,
	ARJ_FLAGS_AT = 8,
	ARJ_TYPE_AT = 10,
	ARJ_COMMENT = 2, /* the type of an archive's own header */
	ARJ_HEAD_MAX = 2600,
	ARJ_VOLUME = 4,
};

size_t sevenzip_length(struct span bytes)
{
	struct span start =
		span_part(bytes, SEVENZIP_START_AT, SEVENZIP_HEAD - SEVENZIP_START_AT);

	if (bytes.len < SEVENZIP_HEAD ||
		memcmp(bytes.data, "7z\xbc\xaf\x27\x1c", 6) != 0 ||
		crc_of(start) != little(bytes, SEVENZIP_CRC_AT, 4))
		return 0;
	return bytes.len;
}

size_t cab_length(struct span bytes)
{
	uint64_t size = little(bytes, CAB_SIZE_AT, 4);

	if (bytes.len < CAB_HEAD || memcmp(bytes.data, "MSCF\0\0\0\0", 8) != 0 ||
		little(bytes, CAB_VERSION_AT + 1, 1) != 1 || size <= CAB_HEAD ||
		little(bytes, CAB_FILES_AT, 4) >= size ||
		little(bytes, CAB_COUNT_AT, 2) == 0)
		return 0;
	return size < bytes.len ? (size_t)size : bytes.len;
}

size_t arj_length(struct span bytes)
{
	uint64_t size = little(bytes, ARJ_SIZE_AT, 2);
	struct span head = span_part(bytes, ARJ_FIRST_AT, (size_t)size);

	if (bytes.len < ARJ_FIRST_AT + ARJ_FIRST_LEAST ||
		memcmp(bytes.data, "\x60\xea", 2) != 0 || size < ARJ_FIRST_LEAST ||
		size > ARJ_HEAD_MAX || little(bytes, ARJ_TYPE_AT, 1) != ARJ_COMMENT ||
		crc_of(head) != little(bytes, ARJ_FIRST_AT + (size_t)size, 4))
		return 0;
	return bytes.len;
}

bool arj_is_volume(struct span bytes)
{
	return arj_length(bytes) > 0 && (little(bytes, ARJ_FLAGS_AT, 1) & ARJ_VOLUME);
}

bool is_old_tar(struct span bytes)
{
	struct span block = span_part(bytes, 0, TAR_BLOCK);
	unsigned long sum = 0, said = 0;
	size_t at = TAR_SUM_AT;

	if (block.len < TAR_BLOCK || block.data[0] == 0)
		return false;
	for (size_t i = 0; i < block.len; i++)
		sum += i - TAR_SUM_AT < TAR_SUM_LEN ? ' ' : block.data[i];
	while (at < TAR_SUM_AT + TAR_SUM_LEN && block.data[at] == ' ')
		at++;
	for (; at < TAR_SUM_AT + TAR_SUM_LEN && block.data[at] >= '0' &&
		block.data[at] <= '7';
		at++)
		said = 8 * said + (unsigned long)(block.data[at] - '0');
	return said > 0 && said == sum;
}
