/* SPDX-License-Identifier: ISC
 *
 * What a server can, and how full a mailbox is. */
#include "mailfilter/imap.h"
#include "mailfilter/imap_quota.h"

enum {
	QUOTAS_MAX = 64 * 1024
};

int imap_facts(struct source *source, struct source_facts *facts_r, struct err *err)
{
	struct imap *imap = (struct imap *)source;
	struct source_facts facts = { .uidplus = imap_offers(imap, "UIDPLUS"),
		.move = imap_offers(imap, "MOVE") };
	auto_buf struct buf quotas;
	int result = 0;

	buf_init(&quotas, QUOTAS_MAX);
	if (imap_offers(imap, "QUOTA")) {
		stream_take_lists(imap->stream, "QUOTA", &quotas);
		result = imap_printf(imap, err, "GETQUOTAROOT \"INBOX\"");
		stream_take_lists(imap->stream, NULL, NULL);
	}
	if (result < 0)
		return -1;
	/* Who has no INBOX, or may not see, is refused: then none is known. */
	if (result > 0)
		imap_quota_read(buf_span(&quotas), &facts);
	*facts_r = facts;
	return 0;
}
