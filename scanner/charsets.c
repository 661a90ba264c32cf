/* SPDX-License-Identifier: ISC */
#include "scanner/charsets.h"

/* What libclamav converts by name, and what else mail is written in. */
static const char *const names[] = { "UTF-7", "UTF-16", "UTF-16BE", "UTF-16LE", "UTF-32",
	"UTF-32BE", "UTF-32LE", "UCS-2", "UCS-2BE", "UCS-2LE", "UCS-4", "UCS-4BE",
	"UCS-4LE", "ISO-8859-1", "ISO-8859-2", "ISO-8859-3", "ISO-8859-4", "ISO-8859-5",
	"ISO-8859-6", "ISO-8859-7", "ISO-8859-8", "ISO-8859-9", "ISO-8859-10",
	"ISO-8859-11", "ISO-8859-13", "ISO-8859-14", "ISO-8859-15", "ISO-8859-16",
	"WINDOWS-1250", "WINDOWS-1251", "WINDOWS-1252", "WINDOWS-1253", "WINDOWS-1254",
	"WINDOWS-1255", "WINDOWS-1256", "WINDOWS-1257", "WINDOWS-1258", "WINDOWS-874",
	"TIS-620", "KOI8-R", "KOI8-U", "KOI8-T", "MACINTOSH", "MAC-CYRILLIC",
	"MAC-CENTRALEUROPE", "BIG5", "BIG5-HKSCS", "GB2312", "GBK", "GB18030", "EUC-CN",
	"EUC-TW", "EUC-JP", "EUC-KR", "SHIFT_JIS", "CP932", "CP936", "CP949", "CP950",
	"CP1361", "JOHAB", "UHC", "ISO-2022-JP", "ISO-2022-JP-2", "ISO-2022-JP-3",
	"ISO-2022-KR", "ISO-2022-CN", "VISCII", "TCVN5712-1", "ARMSCII-8", "GEORGIAN-PS",
	"CP1025", "CP866", "CP875", "CP737", "IBM037", "IBM273", "IBM277", "IBM278",
	"IBM280", "IBM284", "IBM285", "IBM290", "IBM297", "IBM420", "IBM423", "IBM424",
	"IBM437", "IBM500", "IBM775", "IBM850", "IBM852", "IBM855", "IBM857", "IBM860",
	"IBM861", "IBM862", "IBM863", "IBM864", "IBM865", "IBM869", "IBM870", "IBM871",
	"IBM880", "IBM905", "IBM1026" };

_Static_assert(sizeof(names) / sizeof(*names) <= CHARSETS_MAX, "all find room");

void charsets_open(struct charsets *charsets)
{
	charsets->count = 0;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		/* Both ways lie in one library; closed, it would go. */
		iconv_t charset = iconv_open("UTF-8", names[i]);

		/* NOLINTNEXTLINE(performance-no-int-to-ptr): so iconv_open says it. */
		if (charset != (iconv_t)-1)
			charsets->open[charsets->count++] = charset;
	}
}

void charsets_close(struct charsets *charsets)
{
	for (size_t i = 0; i < charsets->count; i++)
		(void)iconv_close(charsets->open[i]);
	charsets->count = 0;
}
