/* SPDX-License-Identifier: ISC */
#include "scanner/cmd_quarantine.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "common/clock.h"
#include "common/json.h"
#include "common/log.h"

#include "scanner/quarantine_release.h"

enum {
	SETID_BITS = 06000
};

const char *cmd_quarantine_wrong(const struct cmd_quarantine *command)
{
	const char *what = command->count > 0 ? command->words[0] : "";
	bool is_release = strcmp(what, "release") == 0;

	if (strcmp(what, "list") == 0 ? command->count != 1
				      : (!is_release && strcmp(what, "delete") != 0) ||
						command->count < 2)
		return "--sweep-quarantine: say list, release ID... or delete ID...";
	if (command->to && (!is_release || command->count != 2))
		return "--to: say it with release and one ID";
	if (command->to && command->to[0] != '/')
		return "--to: say the whole path of a file";
	return NULL;
}

int cmd_quarantine_check(const struct settings *settings, struct err *err)
{
	auto_quarantine struct quarantine quarantine = { .dir = -1, .lock = -1 };

	if (!settings->sweep_quarantine ||
		quarantine_open(settings->sweep_quarantine, false, &quarantine, err) == 0)
		return 0;
	return err->kind == ERR_MESSAGE ? 0 : -1;
}

static int flushed(struct err *err)
{
	return fflush(stdout) == 0 && !ferror(stdout)
		       ? 0
		       : err_set(err, ERR_AGAIN, "cannot write to standard output");
}

/* What became of its bytes that the state does not tell. */
static const char *trouble_of(
	const struct quarantine *quarantine, const struct quarantine_item *item)
{
	auto_close int fd = -1;
	bool is_there = quarantine_data(quarantine, item->id, &fd, NULL) == 0;

	switch (item->state) {
	case QUARANTINE_TAKING:
		return "its move is under way, or was cut off: the scanner ends it at its "
		       "next start, or release and delete do";
	case QUARANTINE_KEPT:
		return is_there ? "" : "its bytes are GONE, or may not be read";
	case QUARANTINE_RELEASING:
		return "its release was cut off: release it again";
	case QUARANTINE_RELEASED:
		return is_there ? "its release was cut off: release it again" : "";
	case QUARANTINE_STATES:
		break;
	}
	return "";
}

static int print_json(struct json *json, const struct quarantine_item *item,
	const char *trouble, struct err *err)
{
	char text[CLOCK_TEXT_MAX], hash[HASH_TEXT_MAX], mode[8];

	(void)snprintf(mode, sizeof(mode), "%04o", (unsigned)item->mode);
	json_open(json, NULL, '{');
	json_text(json, "id", span_str(item->id));
	json_text(json, "state", span_str(quarantine_state_name(item->state)));
	json_text(json, "path", span_str(item->path));
	json_text(json, "signature", span_str(item->signature));
	json_text(json, "where", span_str(item->where));
	json_number(json, "size", item->size);
	json_text(json, "sha256", span_str(hash_text(&item->hash, hash)));
	json_text(json, "signatures", span_str(hash_text(&item->signatures, hash)));
	json_number(json, "uid", item->uid);
	json_number(json, "gid", item->gid);
	json_text(json, "mode", span_str(mode));
	json_text(json, "modified", span_str(clock_iso((int64_t)item->modified_s, text)));
	json_number(json, "links", item->links);
	json_text(json, "moved", span_str(clock_iso((int64_t)item->taken_s, text)));
	json_text(json, "released",
		span_str(item->released_s ? clock_iso((int64_t)item->released_s, text)
					  : ""));
	json_text(json, "trouble", span_str(trouble));
	json_close(json, '}');
	return json_print(json, err);
}

static int print_text(
	const struct quarantine_item *item, const char *trouble, struct err *err)
{
	char text[LOG_LINE_MAX], hash[HASH_TEXT_MAX];

	(void)printf("%s  %s\n", item->id, log_sentence(item->path, text));
	(void)printf("    found   %s", log_sentence(item->signature, text));
	if (item->where[0])
		(void)printf(" in %s", log_sentence(item->where, text));
	(void)printf("\n    sha256  %s\n", hash_text(&item->hash, hash));
	(void)printf("    moved   %s, %" PRIu64 " bytes, of uid %" PRIu64 " gid %" PRIu64
		     ", mode %04o\n",
		clock_iso((int64_t)item->taken_s, text), item->size, item->uid, item->gid,
		(unsigned)item->mode);
	if (item->links > 1)
		(void)printf(
			"    other names of it stayed: %" PRIu64 "\n", item->links - 1);
	if (item->state == QUARANTINE_RELEASED)
		(void)printf("    released %s: it stays where it is until it changes\n",
			clock_iso((int64_t)item->released_s, text));
	if (trouble[0])
		(void)printf("    %s\n", trouble);
	return flushed(err);
}

static int list(const struct quarantine *quarantine, bool as_json, struct err *err)
{
	auto_quarantine_ids struct quarantine_ids ids = { 0 };
	auto_json struct json json;
	struct quarantine_item item;
	struct err damaged = { 0 };
	int code = 0;

	json_init(&json);
	if (quarantine_ids(quarantine, &ids, err) < 0)
		return -1;
	for (size_t i = 0; i < ids.count; i++) {
		const char *trouble;

		if (quarantine_read(quarantine, ids.ids[i], &item, &damaged) < 0) {
			log_warning("%s", damaged.text);
			continue;
		}
		trouble = trouble_of(quarantine, &item);
		code = as_json ? print_json(&json, &item, trouble, err)
			       : print_text(&item, trouble, err);
		if (code < 0)
			return -1;
	}
	return 0;
}

static void say_text(const struct quarantine_item *item, const char *path,
	const char *deed, bool before)
{
	const bool stays =
		!before && deed[0] == 'd' && item->state == QUARANTINE_RELEASED;
	char text[LOG_LINE_MAX];

	if (before)
		(void)printf("%s: was released %s, and stays where it is now\n", item->id,
			clock_iso((int64_t)item->released_s, text));
	else if (stays)
		(void)printf("%s: forgotten; what was released is moved again if it is "
			     "found\n",
			item->id);
	else
		(void)printf("%s: %s %s\n", item->id, deed, log_sentence(path, text));
}

static int say(const struct cmd_quarantine *command, const struct quarantine_item *item,
	const char *deed, bool before, struct err *err)
{
	/* Where it was put that time is not written down. */
	const char *path = command->to && !before ? command->to : item->path;
	auto_json struct json json;

	json_init(&json);
	if (!command->as_json) {
		say_text(item, path, deed, before);
		return flushed(err);
	}
	json_open(&json, NULL, '{');
	json_text(&json, "id", span_str(item->id));
	json_text(&json, "path", span_str(path));
	json_bool(&json, deed, true);
	json_bool(&json, "before", before);
	json_close(&json, '}');
	return json_print(&json, err);
}

static int release(const struct cmd_quarantine *command,
	const struct quarantine *quarantine, const char *id, struct err *err)
{
	struct quarantine_item item = { 0 };
	int got = quarantine_release(quarantine, id, command->to, &item, err);

	if (got < 0)
		return err_wrap(err, "%.60s", id);
	if (got == 0 && (item.mode & SETID_BITS) != 0)
		log_warning("%s: its set-user-ID or set-group-ID is not set again", id);
	return say(command, &item, "released", got > 0, err);
}

static int delete (const struct cmd_quarantine *command,
	const struct quarantine *quarantine, const char *id, struct err *err)
{
	struct quarantine_item item = { 0 };

	if (quarantine_delete(quarantine, id, &item, err) < 0)
		return err_wrap(err, "%.60s", id);
	return say(command, &item, "deleted", false, err);
}

static int result_code(int result, const struct err *err)
{
	if (result == 0)
		return EX_OK;
	log_error("%s", err->text);
	return err->kind == ERR_MESSAGE ? EX_NOINPUT : err_exit_code(err->kind);
}

/* Each id, and the code of the last that failed. */
static int change(const struct cmd_quarantine *command, struct quarantine *quarantine)
{
	struct err err = { 0 };
	int code = EX_OK;

	if (quarantine_lock(quarantine, true, &err) < 0)
		return result_code(-1, &err);
	for (int i = 1; i < command->count; i++) {
		const char *id = command->words[i];
		int got = command->words[0][0] == 'r'
				  ? release(command, quarantine, id, &err)
				  : delete (command, quarantine, id, &err);
		int one = result_code(got, &err);

		code = one != EX_OK ? one : code;
	}
	return code;
}

int cmd_quarantine(const struct cmd_quarantine *command)
{
	auto_quarantine struct quarantine quarantine = { .dir = -1, .lock = -1 };
	const char *path = command->settings->sweep_quarantine;
	struct err err = { 0 };

	if (!path) {
		log_error("no quarantine is set: name a folder in sweep-quarantine");
		return EX_CONFIG;
	}
	if (quarantine_open(path, false, &quarantine, &err) < 0) {
		/* Nothing was moved yet. */
		if (err.kind == ERR_MESSAGE && strcmp(command->words[0], "list") == 0)
			return EX_OK;
		return result_code(-1, &err);
	}
	if (strcmp(command->words[0], "list") == 0)
		return result_code(list(&quarantine, command->as_json, &err), &err);
	return change(command, &quarantine);
}
