/* SPDX-License-Identifier: ISC
 *
 * Mail that was delivered into a Maildir and its folders. One message is replaced in this order, each
 * step durable before the next: on record what takes the place of what; its original in quarantine;
 * the cleaned copy in tmp; shown; the other one removed; on record that it is done. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/clock.h"
#include "common/descriptors.h"
#include "common/file.h"

#include "mailfilter/decide.h"
#include "mailfilter/maildir.h"
#include "mailfilter/maildir_box.h"
#include "mailfilter/maildir_left.h"
#include "mailfilter/outgoing.h"
#include "mailfilter/quarantine.h"
#include "mailfilter/rescan_inside.h"

enum {
	BOXES_MAX = 1000
};

struct boxes {
	struct maildir_box *items;
	size_t count;
	int64_t listed_s;
	/* Of the message that was loaded last: */
	struct maildir_box *box;
	int64_t date_s;
};

static void drop_boxes(struct boxes *boxes)
{
	for (size_t i = 0; i < boxes->count; i++)
		maildir_box_close(&boxes->items[i]);
	boxes->count = 0;
	boxes->box = NULL;
}

/* Each holds its three folders open. */
static int open_box(const char *path, struct maildir_box *box, struct err *err)
{
	int there;

	do {
		errno = 0;
		there = maildir_box_open(path, box, err);
	} while (there < 0 && errno == EMFILE && descriptors_allow_more());
	return there;
}

/* 1: that is a Maildir; 0: it is none. */
static int add_box(
	struct boxes *boxes, const char *path, const char *folder, struct err *err)
{
	auto_free char *full = NULL;
	int there;

	if (boxes->count == BOXES_MAX)
		return err_set(
			err, ERR_ACCOUNT, "more than %d folders in %s", BOXES_MAX, path);
	if (asprintf(&full, "%s%s%s", path, folder[0] ? "/" : "", folder) < 0) {
		full = NULL;
		return err_memory(err);
	}
	there = open_box(full, &boxes->items[boxes->count], err);
	boxes->count += there > 0;
	return there;
}

/* The Maildir, and its folders by Maildir++: rules file mail in some of them. Where it is not there
 * nothing is: a disk that is not mounted, say. */
static int list_boxes(struct boxes *boxes, const char *path, struct err *err)
{
	auto_closedir DIR *dir = opendir(path);
	struct dirent *entry;
	int there;

	if (!dir)
		return err_errno(err, file_err_kind(errno), "cannot open %s", path);
	drop_boxes(boxes);
	boxes->listed_s = clock_wall_s();
	there = add_box(boxes, path, "", err);
	if (there == 0)
		return err_set(err, ERR_ACCOUNT, "%s is no Maildir any more", path);
	while (there >= 0 && (errno = 0, entry = readdir(dir))) {
		const char *name = entry->d_name;

		if (name[0] == '.' && strcmp(name, ".") != 0 && strcmp(name, "..") != 0)
			there = add_box(boxes, path, name, err);
	}
	if (there < 0)
		return -1;
	return errno ? err_errno(err, file_err_kind(errno), "cannot read %s", path) : 0;
}

static int read_it(struct boxes *boxes, const char *name, int *fd_r, struct err *err)
{
	for (size_t i = 0; i < boxes->count; i++) {
		int there = maildir_box_read(
			&boxes->items[i], name, fd_r, &boxes->date_s, err);

		if (there > 0)
			boxes->box = &boxes->items[i];
		if (there != 0)
			return there;
	}
	return 0;
}

static int load_file(int *fd, struct message *message, struct err *err)
{
	struct stat st;

	if (fstat(*fd, &st) < 0)
		return err_errno(err, file_err_kind(errno), "cannot read a message");
	if ((uint64_t)st.st_size > message->body.max)
		return err_set(err, ERR_MESSAGE,
			"over the limit (message-max) by now: it is not scanned");
	for (;;) {
		uint8_t bytes[64 * 1024];
		ssize_t len = read(*fd, bytes, sizeof(bytes));

		if (len < 0 && errno == EINTR)
			continue;
		if (len < 0)
			return err_errno(err, ERR_MESSAGE, "cannot read it");
		if (len == 0)
			return 1;
		/* Into memory or a file of our own: a reader's could change meanwhile. */
		if (body_add(&message->body, (struct span){ bytes, (size_t)len }, err) <
			0)
			return -1;
	}
}

static int load(struct rescan *rescan, const struct record_row *row,
	struct message *message, struct err *err)
{
	struct boxes *boxes = rescan->place;
	struct record_replacing begun;
	auto_close int fd = -1;
	int there, found;

	if (!maildir_is_name(row->name))
		return 0;
	there = read_it(boxes, row->name, &fd, err);
	/* Delivered since they were listed. */
	if (there == 0 && row->time_s >= boxes->listed_s) {
		if (list_boxes(boxes, rescan->job->account->deliver_path, err) < 0)
			return -1;
		there = read_it(boxes, row->name, &fd, err);
	}
	if (there <= 0)
		return there;
	/* A run that died began it: under the same names, so that its original is kept once. */
	found = record_find_replacing(rescan->record, row->name, NULL, &begun, err);
	if (found < 0)
		return -1;
	if (found > 0) {
		memcpy(message->name, begun.new_name, sizeof(message->name));
		if (begun.quarantine_id[0])
			memcpy(message->quarantine_id, begun.quarantine_id,
				sizeof(message->quarantine_id));
	} else {
		maildir_new_name(rescan->sign, message->name);
	}
	return load_file(&fd, message, err);
}

static int keep_original(struct rescan *rescan, struct message *message, struct err *err)
{
	struct record_quarantined item = { 0 };
	struct span bytes = { 0 };

	if (body_span(&message->body, &bytes, err) < 0 ||
		quarantine_keep(rescan->dir, message->quarantine_id, rescan->tmp, bytes,
			err) < 0 ||
		quarantine_describe(message, &item, err) < 0)
		return -1;
	return record_put_quarantined(rescan->record, &item, err);
}

static void describe(const struct record_row *row, const struct message *message,
	struct record_replacing *replacing)
{
	*replacing = (struct record_replacing){ .action = message->action };
	memcpy(replacing->name, row->name, sizeof(replacing->name));
	memcpy(replacing->new_name, message->name, sizeof(replacing->new_name));
	if (outgoing_keeps_original(message))
		memcpy(replacing->quarantine_id, message->quarantine_id,
			sizeof(replacing->quarantine_id));
	(void)decide_verdict(message, replacing->verdict);
	memcpy(replacing->reason, message->reason, sizeof(replacing->reason));
}

/* From what is on record to its end. */
static int swap(struct rescan *rescan, struct maildir_box *box,
	const struct record_replacing *replacing, struct err *err)
{
	int done = maildir_box_replace(box, replacing->name, replacing->new_name, err);

	if (done < 0)
		return -1;
	if ((done > 0 ? record_end_replacing(rescan->record, replacing, err)
		      : record_drop_replacing(rescan->record, replacing->name, err)) < 0)
		return -1;
	maildir_box_forget(box, replacing->new_name);
	return done;
}

static int replace(struct rescan *rescan, const struct record_row *row,
	struct message *message, struct err *err)
{
	struct boxes *boxes = rescan->place;
	struct record_replacing replacing;

	if (outgoing_make(message, rescan->job->account) < 0) {
		*err = message->err;
		return -1;
	}
	describe(row, message, &replacing);
	if (record_begin_replacing(rescan->record, &replacing, err) < 0 ||
		(outgoing_keeps_original(message) &&
			keep_original(rescan, message, err) < 0) ||
		maildir_box_write(boxes->box, message->name, &message->cleaned,
			boxes->date_s, err) < 0)
		return -1;
	return swap(rescan, boxes->box, &replacing, err);
}

/* 1: shown there, and done; 0: it was not shown there. */
static int resume_in(struct rescan *rescan, struct maildir_box *box,
	const struct record_replacing *replacing, struct err *err)
{
	int shown = maildir_box_is_shown(box, replacing->new_name, err);

	if (shown > 0)
		return swap(rescan, box, replacing, err) < 0 ? -1 : 1;
	return shown;
}

/* What was shown is brought to its end. What was not, is scanned again when its turn comes, or never
 * where it is gone. */
static int resume_one(
	struct rescan *rescan, const struct record_replacing *replacing, struct err *err)
{
	struct boxes *boxes = rescan->place;
	auto_close int fd = -1;
	int done = 0, there;

	for (size_t i = 0; i < boxes->count && done == 0; i++)
		done = resume_in(rescan, &boxes->items[i], replacing, err);
	if (done != 0)
		return done < 0 ? -1 : 0;
	there = read_it(boxes, replacing->name, &fd, err);
	return there == 0 ? record_drop_replacing(rescan->record, replacing->name, err)
			  : (there < 0 ? -1 : 0);
}

static int forget(void *arg, const char *name, struct err *err)
{
	(void)err;
	maildir_box_forget(arg, name);
	return 0;
}

/* By now nothing in tmp that is of our sign is needed. */
static int sweep(const struct rescan *rescan, struct maildir_box *box, struct err *err)
{
	struct maildir maildir = maildir_box_maildir(box);

	memcpy(maildir.owner, rescan->sign, sizeof(maildir.owner));
	return maildir_sweep(&maildir, forget, box, err);
}

static int resume(struct rescan *rescan, struct err *err)
{
	struct boxes *boxes = rescan->place;
	struct record_replacing replacing = { 0 };
	char after[MESSAGE_NAME_MAX] = "";
	int got;

	while ((got = record_find_replacing(
			rescan->record, NULL, after, &replacing, err)) > 0) {
		memcpy(after, replacing.name, sizeof(after));
		if (resume_one(rescan, &replacing, err) < 0)
			return -1;
	}
	for (size_t i = 0; i < boxes->count && got == 0; i++)
		got = sweep(rescan, &boxes->items[i], err);
	return got;
}

static void close_boxes(struct rescan *rescan)
{
	struct boxes *boxes = rescan->place;

	drop_boxes(boxes);
	free(boxes->items);
	free(boxes);
}

static const struct rescan_place_ops ops = {
	.resume = resume, .load = load, .replace = replace, .close = close_boxes
};

int rescan_maildir_open(struct rescan *rescan, struct err *err)
{
	struct boxes *boxes = calloc(1, sizeof(*boxes));

	if (!boxes)
		return err_memory(err);
	boxes->items = calloc(BOXES_MAX, sizeof(*boxes->items));
	if (!boxes->items) {
		free(boxes);
		return err_memory(err);
	}
	rescan->place = boxes;
	rescan->ops = &ops;
	return list_boxes(boxes, rescan->job->account->deliver_path, err);
}
