/* SPDX-License-Identifier: ISC */
#include "mailfilter/imap_facts.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/parse.h"

static const char months[][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug",
	"Sep", "Oct", "Nov", "Dec" };

uint32_t imap_facts_uid(const char *text)
{
	uint64_t uid = 0;

	return parse_number(text, 1, UINT32_MAX, &uid, NULL) == 0 ? (uint32_t)uid : 0;
}

bool imap_facts_have(const struct imap_place_facts *facts, const char *flag)
{
	const size_t len = strlen(flag);

	for (const char *at = facts->flags; *at; at += strspn(at, " ")) {
		const size_t word = strcspn(at, " ");

		if (word == len && strncasecmp(at, flag, len) == 0)
			return true;
		at += word;
	}
	return false;
}

/* RFC 3501: what may stand in a keyword without being quoted. */
static bool is_atom(const char *text)
{
	for (const char *p = text; *p; p++)
		if (*p <= ' ' || *p >= 0x7f || strchr("(){%*\"\\]", *p))
			return false;
	return text[0] != '\0';
}

static void add_flag(struct imap_place_facts *facts, const char *flag)
{
	const size_t used = strlen(facts->flags), len = strlen(flag);

	if (used + len + 2 > sizeof(facts->flags) || imap_facts_have(facts, flag))
		return;
	(void)snprintf(facts->flags + used, sizeof(facts->flags) - used, "%s%s",
		used > 0 ? " " : "", flag);
}

static void read_flag(const struct mailimap_flag *flag, struct imap_place_facts *facts)
{
	switch (flag->fl_type) {
	case MAILIMAP_FLAG_ANSWERED:
		add_flag(facts, "\\Answered");
		break;
	case MAILIMAP_FLAG_FLAGGED:
		add_flag(facts, "\\Flagged");
		break;
	case MAILIMAP_FLAG_DELETED:
		add_flag(facts, "\\Deleted");
		break;
	case MAILIMAP_FLAG_SEEN:
		add_flag(facts, "\\Seen");
		break;
	case MAILIMAP_FLAG_DRAFT:
		add_flag(facts, "\\Draft");
		break;
	case MAILIMAP_FLAG_KEYWORD:
		if (flag->fl_data.fl_keyword && is_atom(flag->fl_data.fl_keyword))
			add_flag(facts, flag->fl_data.fl_keyword);
		break;
	default:
		/* Of other system flags nobody knows what APPEND makes of them. */
		break;
	}
}

static void read_flags(
	const struct mailimap_msg_att_dynamic *dynamic, struct imap_place_facts *facts)
{
	facts->flags[0] = '\0';
	if (!dynamic->att_list)
		return;
	for (clistiter *at = clist_begin(dynamic->att_list); at; at = clist_next(at)) {
		const struct mailimap_flag_fetch *fetched = clist_content(at);

		if (fetched->fl_type == MAILIMAP_FLAG_FETCH_OTHER && fetched->fl_flag)
			read_flag(fetched->fl_flag, facts);
	}
}

static void read_date(
	const struct mailimap_date_time *date, struct imap_place_facts *facts)
{
	const int zone = date->dt_zone < 0 ? -date->dt_zone : date->dt_zone;

	facts->date[0] = '\0';
	if (date->dt_day < 1 || date->dt_day > 31 || date->dt_month < 1 ||
		date->dt_month > 12 || date->dt_year < 1 || date->dt_year > 9999 ||
		date->dt_hour < 0 || date->dt_hour > 23 || date->dt_min < 0 ||
		date->dt_min > 59 || date->dt_sec < 0 || date->dt_sec > 60 ||
		zone > 2400 || zone % 100 > 59)
		return;
	(void)snprintf(facts->date, sizeof(facts->date),
		"%02d-%s-%04d %02d:%02d:%02d %c%04d", date->dt_day,
		months[date->dt_month - 1], date->dt_year, date->dt_hour, date->dt_min,
		date->dt_sec, date->dt_zone < 0 ? '-' : '+', zone);
}

const struct mailimap_msg_att_static *imap_facts_find(
	const struct mailimap_msg_att *message, int type)
{
	for (clistiter *at = clist_begin(message->att_list); at; at = clist_next(at)) {
		const struct mailimap_msg_att_item *item = clist_content(at);

		if (item->att_type == MAILIMAP_MSG_ATT_ITEM_STATIC &&
			item->att_data.att_static->att_type == type)
			return item->att_data.att_static;
	}
	return NULL;
}

uint32_t imap_facts_message_uid(const struct mailimap_msg_att *message)
{
	const struct mailimap_msg_att_static *fact =
		imap_facts_find(message, MAILIMAP_MSG_ATT_UID);

	return fact ? fact->att_data.att_uid : 0;
}

uint64_t imap_facts_message_size(const struct mailimap_msg_att *message)
{
	const struct mailimap_msg_att_static *fact =
		imap_facts_find(message, MAILIMAP_MSG_ATT_RFC822_SIZE);

	return fact ? fact->att_data.att_rfc822_size : 0;
}

bool imap_facts_read(const struct mailimap_msg_att *message, uint32_t uid,
	struct imap_place_facts *facts)
{
	const struct mailimap_msg_att_static *date =
		imap_facts_find(message, MAILIMAP_MSG_ATT_INTERNALDATE);
	bool flags = false;

	if (uid == 0 || imap_facts_message_uid(message) != uid)
		return false;
	for (clistiter *at = clist_begin(message->att_list); at; at = clist_next(at)) {
		const struct mailimap_msg_att_item *item = clist_content(at);

		if (item->att_type != MAILIMAP_MSG_ATT_ITEM_DYNAMIC)
			continue;
		read_flags(item->att_data.att_dyn, facts);
		flags = true;
	}
	if (date && date->att_data.att_internal_date)
		read_date(date->att_data.att_internal_date, facts);
	return flags;
}
