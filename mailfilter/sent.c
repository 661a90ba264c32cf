/* SPDX-License-Identifier: ISC
 *
 * The file: a line for each, "sent NAME" or "doubt NAME SECONDS COUNT", the last one of a name
 * counts. */
#include "mailfilter/sent.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/file.h"
#include "common/parse.h"

#include "mailfilter/journal.h"

enum {
	LINE_MAX_BYTES = MESSAGE_NAME_MAX + 64
};

static struct sent_doubt *find_doubt(const struct sent *sent, const char *name)
{
	for (size_t i = 0; i < sent->doubt_count; i++)
		if (strcmp(sent->doubts[i].name, name) == 0)
			return &sent->doubts[i];
	return NULL;
}

static void drop_doubt(struct sent *sent, const char *name)
{
	struct sent_doubt *doubt = find_doubt(sent, name);

	if (!doubt)
		return;
	sent->doubt_count--;
	memmove(doubt, doubt + 1,
		(size_t)(sent->doubts + sent->doubt_count - doubt) * sizeof(*doubt));
}

static const struct sent_doubt *set_doubt(
	struct sent *sent, const char *name, int64_t last_s, uint32_t count)
{
	struct sent_doubt *doubt;

	drop_doubt(sent, name);
	if (sent->doubt_count == SENT_DOUBTS_MAX) {
		sent->doubt_count--;
		memmove(sent->doubts, sent->doubts + 1,
			sent->doubt_count * sizeof(*sent->doubts));
	}
	doubt = &sent->doubts[sent->doubt_count++];
	*doubt = (struct sent_doubt){ .last_s = last_s, .count = count };
	(void)snprintf(doubt->name, sizeof(doubt->name), "%s", name);
	return doubt;
}

/* What another program wrote there is passed over. */
static int take_line(void *arg, char *line, struct err *err)
{
	struct sent *sent = arg;
	char *rest, *word = strtok_r(line, " ", &rest),
		    *name = strtok_r(NULL, " ", &rest);
	const char *seconds = strtok_r(NULL, " ", &rest);
	const char *times = strtok_r(NULL, " ", &rest);
	uint64_t last_s = 0, count = 0;

	if (!word || !name || strlen(name) >= MESSAGE_NAME_MAX)
		return 0;
	if (strcmp(word, "sent") == 0) {
		drop_doubt(sent, name);
		return names_add(&sent->names, name, err);
	}
	if (strcmp(word, "doubt") == 0 && seconds && times &&
		parse_number(seconds, 0, INT64_MAX, &last_s, NULL) == 0 &&
		parse_number(times, 1, UINT32_MAX, &count, NULL) == 0)
		(void)set_doubt(sent, name, (int64_t)last_s, (uint32_t)count);
	return 0;
}

static int add_doubt(struct buf *buf, const struct sent_doubt *doubt, struct err *err)
{
	return buf_printf(buf, err, "doubt %s %" PRId64 " %" PRIu32 "\n", doubt->name,
		doubt->last_s, doubt->count);
}

/* All that is known, in a new file. */
static int write_anew(struct sent *sent, struct err *err)
{
	auto_buf struct buf content;

	buf_init(&content, SENT_BYTES_MAX);
	for (size_t i = 0; i < sent->names.count; i++)
		if (buf_printf(&content, err, "sent %s\n", sent->names.items[i]) < 0)
			return -1;
	for (size_t i = 0; i < sent->doubt_count; i++)
		if (add_doubt(&content, &sent->doubts[i], err) < 0)
			return -1;
	if (file_replace(sent->path, buf_span(&content), S_IRUSR | S_IWUSR, err) < 0)
		return -1;
	defer_close(&sent->fd);
	sent->fd = open(sent->path, O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC);
	if (sent->fd < 0)
		return err_errno(err, file_err_kind(errno), "cannot open %s", sent->path);
	sent->behind = false;
	return 0;
}

int sent_open(const char *dir, struct sent *sent_r, struct err *err)
{
	struct sent sent = { .fd = -1 };

	sent.doubts = calloc(SENT_DOUBTS_MAX, sizeof(*sent.doubts));
	if (asprintf(&sent.path, "%s/sent.journal", dir) < 0)
		sent.path = NULL;
	if (!sent.path || !sent.doubts) {
		sent_close(&sent);
		return err_memory(err);
	}
	if (journal_load(sent.path, SENT_BYTES_MAX, take_line, &sent, err) < 0 ||
		write_anew(&sent, err) < 0) {
		sent_close(&sent);
		return -1;
	}
	*sent_r = sent;
	return 0;
}

void sent_close(struct sent *sent)
{
	defer_close(&sent->fd);
	free(sent->path);
	free(sent->doubts);
	names_done(&sent->names);
	*sent = (struct sent){ .fd = -1 };
}

/* As long as anything is not forgotten the file is never empty, and lines that are in vain add up: one
 * over the limit would not be read. */
static bool is_long(const struct sent *sent)
{
	struct stat st;

	return fstat(sent->fd, &st) == 0 && st.st_size > SENT_BYTES_MAX / 2;
}

/* What the line says is known already. */
static int append(struct sent *sent, const char *line, struct err *err)
{
	/* Until a sync succeeds nothing is known of the file. */
	sent->behind = true;
	if (is_long(sent))
		return write_anew(sent, err);
	if (file_write(sent->fd, span_str(line), sent->path, err) < 0)
		return -1;
	if (fdatasync(sent->fd) < 0)
		return err_errno(err, file_err_kind(errno), "cannot sync %s", sent->path);
	sent->behind = false;
	return 0;
}

int sent_catch_up(struct sent *sent, struct err *err)
{
	return sent->behind ? write_anew(sent, err) : 0;
}

int sent_note(struct sent *sent, const char *name, struct err *err)
{
	char line[LINE_MAX_BYTES];

	drop_doubt(sent, name);
	if (names_add(&sent->names, name, err) < 0)
		return -1;
	(void)snprintf(line, sizeof(line), "sent %s\n", name);
	return append(sent, line, err);
}

int sent_note_doubt(struct sent *sent, const char *name, int64_t now_s, struct err *err)
{
	const struct sent_doubt *doubt = find_doubt(sent, name);
	auto_buf struct buf line;
	const char *text;

	doubt = set_doubt(sent, name, now_s, doubt ? doubt->count + 1 : 1);
	buf_init(&line, LINE_MAX_BYTES);
	if (add_doubt(&line, doubt, err) < 0 || buf_text(&line, &text, err) < 0)
		return -1;
	return append(sent, text, err);
}

const struct sent_doubt *sent_find_doubt(const struct sent *sent, const char *name)
{
	return find_doubt(sent, name);
}

void sent_forget(struct sent *sent, const char *name)
{
	/* Only when nothing is left the file says so: lines that are in vain do no harm. */
	drop_doubt(sent, name);
	if (names_remove(&sent->names, name) && sent->names.count == 0 &&
		sent->doubt_count == 0 && ftruncate(sent->fd, 0) < 0)
		sent->behind = true;
}
