/* SPDX-License-Identifier: ISC */
#include "scanner/notice.h"

#include <inttypes.h>

#include "common/utf8.h"

enum {
	SHOWN_MAX = 128 /* bytes of a name, type or signature */
};

/* Text from outside as ASCII that cannot end a line or a quotation; the end of a long name, which says
 * what it is, stays. */
static const char *shown(const char *text, char out[static SHOWN_MAX])
{
	char ascii[FINDING_NAME_MAX];
	size_t len = 0;

	for (const uint8_t *at = (const uint8_t *)text; *at; at++) {
		if ((*at & 0xc0) == 0x80)
			continue; /* the rest of a UTF-8 character: one "?" stands for it */
		if (len == sizeof(ascii))
			break;
		ascii[len] = '?';
		if (*at >= ' ' && *at <= '~' && *at != '"')
			ascii[len] = (char)*at;
		len++;
	}
	return utf8_shorten((struct span){ (const uint8_t *)ascii, len }, out, SHOWN_MAX);
}

static int add_line(struct buf *out, const char *text, const char *eol, struct err *err)
{
	if (buf_add_str(out, text, err) < 0)
		return -1;
	return buf_add_str(out, eol, err);
}

int notice_add_header(const struct notice *notice, struct buf *out, struct err *err)
{
	if (add_line(out, "Content-Type: text/plain; charset=us-ascii", notice->eol,
		    err) < 0 ||
		add_line(out, "Content-Disposition: inline", notice->eol, err) < 0)
		return -1;
	return add_line(out, "Content-Transfer-Encoding: 7bit", notice->eol, err);
}

static int add_finding(const struct notice *notice, const struct finding *finding,
	struct buf *out, struct err *err)
{
	char name[SHOWN_MAX], type[SHOWN_MAX], signature[SHOWN_MAX];

	if (finding->name[0]) {
		if (buf_printf(out, err, "The attachment \"%s\"%s",
			    shown(finding->name, name), notice->eol) < 0)
			return -1;
	} else if (buf_printf(out, err, "%s%s",
			   finding->part[0] ? "A part of this message"
					    : "The text of this message",
			   notice->eol) < 0) {
		return -1;
	}
	return buf_printf(out, err,
		"(%s, %" PRIu64 " bytes) was removed%sbecause %s was found.%s",
		shown(finding->type, type), finding->size, notice->eol,
		shown(finding->signature, signature), notice->eol);
}

static int add_findings(const struct notice *notice, struct buf *out, struct err *err)
{
	size_t named = notice->count;

	if (named > NOTICE_FINDINGS_MAX)
		named = NOTICE_FINDINGS_MAX;
	for (size_t i = 0; i < named; i++)
		if (add_finding(notice, &notice->findings[notice->chosen[i]], out, err) <
			0)
			return -1;
	if (named < notice->count && buf_printf(out, err, "So were %zu more parts.%s",
					     notice->count - named, notice->eol) < 0)
		return -1;
	return 0;
}

int notice_add_text(const struct notice *notice, struct buf *out, struct err *err)
{
	char id[SHOWN_MAX];

	if (add_findings(notice, out, err) < 0)
		return -1;
	if (notice->enclosing &&
		add_line(out,
			"What stood around it went too: it could not be cut out alone.",
			notice->eol, err) < 0)
		return -1;
	if (!notice->quarantine_id[0])
		return buf_add_str(out, "The rest of the message is as it was.", err);
	return buf_printf(out, err,
		"The original message is kept in quarantine as%s    %s%s"
		"To have it, ask the administrator of your mail, who can look at it and%s"
		"have it delivered:%s    mailfilter quarantine show %s%s"
		"    mailfilter quarantine release %s",
		notice->eol, shown(notice->quarantine_id, id), notice->eol, notice->eol,
		notice->eol, id, notice->eol, id);
}
