/* SPDX-License-Identifier: ISC */
#include "mailfilter/notice.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/headers.h"
#include "common/mime.h"
#include "common/utf8.h"

enum {
	NOTICE_MAX = 32 * 1024,
	SUBJECT_MAX = 150, /* bytes of the original's subject that the notice repeats */
	TEXT_MAX = 256,
	WORD_MAX = 60, /* characters of an encoded word's text: 75 in all, RFC 2047 */
	FIELD_LINE_MAX = 70
};

/* The text on one line: what cannot be shown becomes a question mark, what is too long is cut
 * between characters. */
static void make_safe(const char *from, char *text, size_t size)
{
	struct span left = span_str(from);
	size_t used = 0;

	while (left.len > 0) {
		size_t len = utf8_printable(left);
		const bool shown = len > 0;

		len = shown ? len : 1;
		if (used + len >= size)
			break;
		memcpy(text + used, shown ? (const char *)left.data : "?", len);
		used += len;
		left = span_part(left, len, left.len);
	}
	text[used] = '\0';
}

static bool is_ascii(struct span text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] >= 0x80)
			return false;
	return true;
}

/* "Infected (Eicar-Test-Signature)", "Unscannable (limit)", "Kept back (REASON)". */
static void status_of(const struct message *message, char *text, size_t size)
{
	const struct verdict *const verdict = &message->verdict;

	if (verdict->kind == VERDICT_INFECTED && verdict->finding_count > 1)
		(void)snprintf(text, size, "Infected (%s and %zu more)",
			verdict->findings[0].signature, verdict->finding_count - 1);
	else if (verdict->kind == VERDICT_INFECTED)
		(void)snprintf(text, size, "Infected (%s)",
			verdict->finding_count ? verdict->findings[0].signature
					       : "unnamed");
	else if (verdict->kind == VERDICT_UNSCANNABLE)
		(void)snprintf(text, size, "Unscannable (%s)",
			verdict_reason_name(verdict->reason));
	else
		(void)snprintf(text, size, "Not scanned%s%.200s%s",
			message->reason[0] ? " (" : "", message->reason,
			message->reason[0] ? ")" : "");
}

static void drop_cleaned(struct message *message)
{
	const char *const dir = message->cleaned.dir;
	const uint64_t max = message->cleaned.max;

	body_done(&message->cleaned);
	body_init(&message->cleaned, dir, max);
}

static int tag(struct message *message, struct edits *edits, struct err *err)
{
	struct span bytes = { 0 };
	char status[TEXT_MAX];
	ptrdiff_t line;

	if (body_span(&message->body, &bytes, err) < 0)
		return -1;
	status_of(message, status, sizeof(status));
	line = span_find(bytes, span_str("\n"));
	if (headers_mark(bytes, line > 0 && bytes.data[line - 1] == '\r' ? "\r\n" : "\n",
		    status, "", edits, err) < 0)
		return -1;
	edits_sort(edits);
	return edits_apply_body(edits, &message->body, &message->cleaned, err);
}

int notice_tag(struct message *message, struct err *err)
{
	struct edits edits = { 0 };
	int done;

	drop_cleaned(message);
	done = tag(message, &edits, err);
	edits_done(&edits);
	if (done < 0)
		drop_cleaned(message);
	return done;
}

/* One encoded word (RFC 2047, Q) of as many whole characters as fit; returns the bytes taken. */
static size_t encode_word(struct span text, char word[static WORD_MAX + 1])
{
	size_t used = 0, taken = 0;

	while (taken < text.len) {
		const size_t len = utf8_printable(span_part(text, taken, text.len));

		if (len == 0 || used + len * 3 > WORD_MAX)
			break;
		for (size_t i = 0; i < len; i++)
			used += (size_t)snprintf(word + used, WORD_MAX + 1 - used,
				"=%02X", text.data[taken + i]);
		taken += len;
	}
	word[used] = '\0';
	return taken;
}

/* A field of text that make_safe made: as it is where that cannot be misread, else encoded. */
static int add_text_field(
	struct buf *out, const char *name, const char *text, struct err *err)
{
	struct span left = span_str(text);
	char word[WORD_MAX + 1];
	const char *fold = "";

	if (is_ascii(left) && left.len + strlen(name) < FIELD_LINE_MAX &&
		!strstr(text, "=?"))
		return buf_printf(out, err, "%s: %s\r\n", name, text);
	if (buf_printf(out, err, "%s: ", name) < 0)
		return -1;
	while (left.len > 0) {
		const size_t taken = encode_word(left, word);

		if (taken == 0)
			break;
		if (buf_printf(out, err, "%s=?utf-8?Q?%s?=", fold, word) < 0)
			return -1;
		fold = "\r\n ";
		left = span_part(left, taken, left.len);
	}
	return buf_add_str(out, "\r\n", err);
}

/* What the notice says of the original: all of it safe to show. */
struct original {
	char to[TEXT_MAX], from[TEXT_MAX], subject[TEXT_MAX], date[TEXT_MAX];
};

static void read_field(struct span bytes, const char *name, char text[static TEXT_MAX])
{
	char decoded[TEXT_MAX] = "";

	if (bytes.len > 0)
		mime_field_text(bytes, name, decoded, sizeof(decoded));
	make_safe(decoded, text, TEXT_MAX);
}

static void read_original(struct span bytes, struct original *original)
{
	read_field(bytes, "To", original->to);
	read_field(bytes, "From", original->from);
	read_field(bytes, "Subject", original->subject);
	read_field(bytes, "Date", original->date);
}

/* May it stand as addresses in a To field as it is? Anything odd or cut is no loss there. */
static bool is_plain_address(const char *text)
{
	return strchr(text, '@') && strlen(text) + 1 < TEXT_MAX / 2 &&
	       text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				 "0123456789.,_+-@<> ")] == '\0';
}

/* May it stand in a command line that somebody copies into a shell? */
static bool is_plain_word(const char *text)
{
	return text[0] && text[0] != '-' &&
	       text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				 "0123456789._-")] == '\0';
}

/* The id as it may stand in a field and in a command. */
static const char *id_of(const struct message *message)
{
	if (is_plain_word(message->quarantine_id))
		return message->quarantine_id;
	return is_plain_word(message->name) ? message->name : "unknown";
}

static int add_head(struct buf *out, const struct message *message,
	const struct original *original, const char *charset, struct err *err)
{
	const bool parked = message->action == ACTION_PARK;
	char status[TEXT_MAX], safe[TEXT_MAX], subject[TEXT_MAX * 2];
	char date[CLOCK_TEXT_MAX], cut[SUBJECT_MAX];

	status_of(message, status, sizeof(status));
	make_safe(status, safe, sizeof(safe));
	for (char *p = safe; *p; p++)
		if ((unsigned char)*p >= 0x80)
			*p = '?';
	make_safe(original->subject, cut, sizeof(cut));
	(void)snprintf(subject, sizeof(subject), "[%s] %s",
		parked ? "Not fetched" : "Quarantined", cut[0] ? cut : "(no subject)");
	if (buf_printf(out, err, "From: mailfilter <mailfilter@localhost>\r\nTo: %s\r\n",
		    is_plain_address(original->to) ? original->to
						   : "undisclosed-recipients:;") < 0 ||
		add_text_field(out, "Subject", subject, err) < 0 ||
		buf_printf(out, err,
			"Date: %s\r\nMessage-ID: <%s@mailfilter.invalid>\r\n"
			"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=%s\r\n"
			"Content-Transfer-Encoding: %s\r\n"
			"Auto-Submitted: auto-generated\r\nX-Virus-Status: %s\r\n"
			"X-Virus-Scanned: mailfilter\r\n",
			clock_mail_date(
				message->date_s ? message->date_s : clock_wall_s(), date),
			id_of(message), charset,
			strcmp(charset, "utf-8") == 0 ? "8bit" : "7bit", safe) < 0)
		return -1;
	if (parked)
		return 0;
	return buf_printf(out, err, "X-Quarantine-ID: %s\r\n", id_of(message));
}

static int add_line(struct buf *out, const char *label, const char *text, struct err *err)
{
	if (!text[0])
		return 0;
	return buf_printf(out, err, "    %-9s %s\r\n", label, text);
}

/* Why, as one sentence and a line with what the scanner said. */
static int add_why(struct buf *out, const struct message *message, struct err *err)
{
	const struct verdict *const verdict = &message->verdict;
	char line[TEXT_MAX], hash[HASH_TEXT_MAX];

	for (size_t i = 0;
		verdict->kind == VERDICT_INFECTED && i < verdict->finding_count && i < 10;
		i++) {
		make_safe(verdict->findings[i].signature, line, sizeof(line));
		if (add_line(out, i ? "" : "Found:", line, err) < 0 ||
			add_line(out, "SHA-256:",
				hash_text(&verdict->findings[i].hash, hash), err) < 0)
			return -1;
	}
	if (verdict->kind == VERDICT_UNSCANNABLE) {
		char what[TEXT_MAX * 2];

		(void)snprintf(what, sizeof(what), "it could not be scanned (%s)%s%s",
			verdict_reason_name(verdict->reason),
			verdict->detail[0] ? ": " : "", verdict->detail);
		make_safe(what, line, sizeof(line));
		if (add_line(out, "Reason:", line, err) < 0)
			return -1;
	}
	make_safe(message->reason, line, sizeof(line));
	return add_line(
		out, verdict->kind == VERDICT_UNSCANNABLE ? "" : "Reason:", line, err);
}

static int add_quarantined(struct buf *out, const struct message *message,
	const char *account, struct err *err)
{
	const char *const id = id_of(message);

	return buf_printf(out, err,
		"\r\nNothing is lost: the original is kept, byte for byte, in the quarantine\r\n"
		"of the account \"%s\" on the machine that runs mailfilter. There you can\r\n"
		"look at it and, if you know what it is, have it delivered:\r\n\r\n"
		"    mailfilter quarantine show %s\r\n"
		"    mailfilter quarantine release %s\r\n\r\n"
		"If that machine is not yours, ask the administrator of your mail, and name the\r\n"
		"last line above.\r\n",
		account, id, id);
}

static int add_parked(struct buf *out, const struct message *message, const char *account,
	struct err *err)
{
	char folder[TEXT_MAX];

	make_safe(message->key.folder, folder, sizeof(folder));
	if (buf_printf(out, err,
		    "\r\nNothing is lost: the mail is untouched on the mail server of the account\r\n"
		    "\"%s\"%s%s%s, and will not be fetched again. It has not been scanned:\r\n"
		    "look at it there with care.\r\n",
		    account, folder[0] ? ", folder \"" : "", folder,
		    folder[0] ? "\"" : "") < 0)
		return -1;
	if (!is_plain_word(message->key.uid))
		return 0;
	return buf_printf(out, err,
		"\r\nOn the machine that runs mailfilter this tells what is known of it:\r\n\r\n"
		"    mailfilter why %s %s\r\n",
		account, message->key.uid);
}

static int add_text(struct buf *out, const struct message *message, const char *account,
	const struct original *original, struct err *err)
{
	const bool parked = message->action == ACTION_PARK;
	const uint64_t bytes = message->body.size ? message->body.size : message->size;
	char size[32], safe_account[TEXT_MAX];

	make_safe(account, safe_account, sizeof(safe_account));
	(void)snprintf(size, sizeof(size), "%" PRIu64 " bytes", bytes);
	if (buf_printf(out, err, "A mail to you was %s:\r\n\r\n",
		    parked ? "left on the server"
			   : "kept back, because it may be harmful") < 0 ||
		add_line(out, "From:", original->from, err) < 0 ||
		add_line(out, "Subject:", original->subject, err) < 0 ||
		add_line(out, "Date:", original->date, err) < 0 ||
		add_line(out, "Size:", size, err) < 0 || add_why(out, message, err) < 0)
		return -1;
	if (original->from[0] &&
		buf_add_str(out, "\r\nThe sender's name may be forged.\r\n", err) < 0)
		return -1;
	return parked ? add_parked(out, message, safe_account, err)
		      : add_quarantined(out, message, safe_account, err);
}

/* The folder's name is ours, but it may hold anything. */
static int add_server_folder(struct buf *out, const struct message *message,
	const char *server_folder, struct err *err)
{
	char folder[TEXT_MAX];

	if (!server_folder || message->action == ACTION_PARK)
		return 0;
	make_safe(server_folder, folder, sizeof(folder));
	return buf_printf(out, err,
		"\r\nIt is also in the folder \"%s\" on the mail server, unchanged: open it there\r\n"
		"only if you know what it is.\r\n",
		folder);
}

int notice_write(struct message *message, const char *account, const char *server_folder,
	struct err *err)
{
	struct original original = { 0 };
	struct span bytes = { 0 };
	auto_buf struct buf head, text;

	buf_init(&head, NOTICE_MAX);
	buf_init(&text, NOTICE_MAX);
	drop_cleaned(message);
	if (body_span(&message->body, &bytes, err) < 0)
		return -1;
	read_original(bytes, &original);
	if (add_text(&text, message, account, &original, err) < 0 ||
		add_server_folder(&text, message, server_folder, err) < 0 ||
		add_head(&head, message, &original,
			is_ascii(buf_span(&text)) ? "us-ascii" : "utf-8", err) < 0 ||
		buf_add_str(&head, "\r\n", err) < 0 ||
		body_add(&message->cleaned, buf_span(&head), err) < 0 ||
		body_add(&message->cleaned, buf_span(&text), err) < 0) {
		drop_cleaned(message);
		return -1;
	}
	return 0;
}
