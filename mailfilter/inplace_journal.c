/* SPDX-License-Identifier: ISC
 *
 * The file: a line for each, "put NAME TOKEN UIDVALIDITY FROM UNTIL FOLDER". */
#include "mailfilter/inplace_journal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/file.h"
#include "common/parse.h"

#include "mailfilter/journal.h"

enum {
	LINE_MAX_BYTES = MESSAGE_NAME_MAX + QUARANTINE_ID_MAX + MESSAGE_FOLDER_MAX + 100,
	BYTES_MAX = INPLACE_JOURNAL_MAX * LINE_MAX_BYTES
};

struct inplace_entry *inplace_journal_find(
	const struct inplace_journal *journal, const char *name)
{
	for (size_t i = 0; i < journal->count; i++)
		if (strcmp(journal->entries[i].name, name) == 0)
			return &journal->entries[i];
	return NULL;
}

static bool take_text(char *text, size_t size, const char *word)
{
	const int len = snprintf(text, size, "%s", word ? word : "");

	return len > 0 && (size_t)len < size;
}

static bool take_number(uint64_t max, uint64_t *number, const char *word)
{
	return word && parse_number(word, 0, max, number, NULL) == 0;
}

static int take_line(void *arg, char *line, struct err *err)
{
	struct inplace_journal *journal = arg;
	struct inplace_entry entry = { 0 };
	uint64_t uidvalidity = 0, from = 0, until = 0;
	char *rest;
	const char *word = strtok_r(line, " ", &rest);
	bool good = word && strcmp(word, "put") == 0;

	(void)err;
	good = good &&
	       take_text(entry.name, sizeof(entry.name), strtok_r(NULL, " ", &rest)) &&
	       take_text(entry.token, sizeof(entry.token), strtok_r(NULL, " ", &rest)) &&
	       take_number(UINT32_MAX, &uidvalidity, strtok_r(NULL, " ", &rest)) &&
	       take_number(UINT32_MAX, &from, strtok_r(NULL, " ", &rest)) &&
	       take_number(INT64_MAX, &until, strtok_r(NULL, " ", &rest)) &&
	       take_text(entry.folder, sizeof(entry.folder), rest);
	if (!good || journal->count == INPLACE_JOURNAL_MAX ||
		inplace_journal_find(journal, entry.name))
		return 0;
	entry.uidvalidity = (uint32_t)uidvalidity;
	entry.from_uid = (uint32_t)from;
	entry.until_s = (int64_t)until;
	journal->entries[journal->count++] = entry;
	return 0;
}

int inplace_journal_open(
	const char *dir, struct inplace_journal *journal_r, struct err *err)
{
	struct inplace_journal journal = { 0 };

	journal.entries = calloc(INPLACE_JOURNAL_MAX, sizeof(*journal.entries));
	if (asprintf(&journal.path, "%s/inplace.journal", dir) < 0)
		journal.path = NULL;
	if (!journal.path || !journal.entries) {
		inplace_journal_close(&journal);
		return err_memory(err);
	}
	if (journal_load(journal.path, BYTES_MAX, take_line, &journal, err) < 0) {
		inplace_journal_close(&journal);
		return -1;
	}
	*journal_r = journal;
	return 0;
}

void inplace_journal_close(struct inplace_journal *journal)
{
	free(journal->path);
	free(journal->entries);
	*journal = (struct inplace_journal){ 0 };
}

int inplace_journal_save(const struct inplace_journal *journal, struct err *err)
{
	auto_buf struct buf content;

	buf_init(&content, BYTES_MAX);
	for (size_t i = 0; i < journal->count; i++) {
		const struct inplace_entry *entry = &journal->entries[i];

		if (buf_printf(&content, err,
			    "put %s %s %" PRIu32 " %" PRIu32 " %" PRId64 " %s\n",
			    entry->name, entry->token, entry->uidvalidity,
			    entry->from_uid, entry->until_s, entry->folder) < 0)
			return -1;
	}
	return file_replace(journal->path, buf_span(&content), S_IRUSR | S_IWUSR, err);
}

static void remove_entry(struct inplace_journal *journal, struct inplace_entry *entry)
{
	struct inplace_entry *end = journal->entries + --journal->count;

	memmove(entry, entry + 1, (size_t)(end - entry) * sizeof(*entry));
}

int inplace_journal_put(struct inplace_journal *journal,
	const struct inplace_entry *entry, struct err *err)
{
	struct inplace_entry *old = inplace_journal_find(journal, entry->name);

	if (old)
		remove_entry(journal, old);
	if (journal->count == INPLACE_JOURNAL_MAX)
		return err_set(err, ERR_AGAIN,
			"%s: of %d messages it is not known yet whether they stand in their "
			"folders",
			journal->path, INPLACE_JOURNAL_MAX);
	journal->entries[journal->count++] = *entry;
	if (inplace_journal_save(journal, err) == 0)
		return 0;
	journal->count--;
	return -1;
}

void inplace_journal_drop(struct inplace_journal *journal, const char *name)
{
	struct inplace_entry *entry = inplace_journal_find(journal, name);

	if (!entry)
		return;
	remove_entry(journal, entry);
	/* That it stays in the file costs a look at the next start. */
	if (journal->count == 0)
		(void)inplace_journal_save(journal, NULL);
}
