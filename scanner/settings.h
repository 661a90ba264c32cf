/* SPDX-License-Identifier: ISC
 *
 * scanner.conf, checked and read-only after settings_load. Every limit and default of the file
 * stands in settings.c's table; the manual page and conf/ say the same. */
#ifndef SCANNER_SETTINGS_H
#define SCANNER_SETTINGS_H

#include "common/schema.h"

enum reload {
	RELOAD_AUTO,
	RELOAD_CONCURRENT, /* the new signatures are loaded beside the old ones */
	RELOAD_SERIAL      /* the old ones go first */
};

struct settings {
	char *path; /* the file, NULL if there is none */
	struct schema_list listen;
	/* Where they stand in the file; 0: not given. */
	int listen_line, curve_key_line, clients_line, signatures_line, temp_dir_line;
	char *curve_key;            /* file of our secret key, NULL: none */
	struct schema_list clients; /* "KEY NAME" of those who may connect over tcp */
	struct schema_list
		signatures; /* directories; the word "test" is our EICAR signature */
	int64_t signatures_check_ms; /* so often these are looked at */
	int reload;                  /* enum reload */
	uint64_t cache;              /* clean messages that are remembered; 0: none */
	uint64_t workers;            /* 0: one for each core */
	char *temp_dir;
	char *metrics_file; /* NULL: none */
	uint64_t message_max;
	int64_t scan_timeout_ms;   /* CPU and wall time of one message */
	uint64_t worker_jobs;      /* messages until a worker is replaced */
	uint64_t queue;            /* requests waiting or in work, for all clients */
	uint64_t scan_size_max;    /* libclamav: bytes unpacked from one message */
	uint64_t file_size_max;    /* libclamav: of one file in it */
	uint64_t files_max;        /* libclamav: files in it */
	uint64_t recursion_max;    /* libclamav: archives in archives */
	int64_t check_interval_ms; /* no check is rarer than this */
	struct schema_list check_limits; /* check_limits.h */
	char *freshclam_log;             /* written at each of its looks */
	struct schema_list on_alert;     /* a command, run when a check gets worse */
	/* The sweep: directories scanned while no mail waits (sweeper.h). */
	struct schema_list sweep, sweep_exclude; /* folders, none: off; patterns */
	uint64_t sweep_rate;                     /* bytes a second, 0: as it goes */
	uint64_t sweep_file_max;                 /* larger files are not read */
	int64_t sweep_interval_ms;               /* from the end of a pass to the next */
	int64_t sweep_rest_ms;                   /* the same, where it is due at once */
	char *sweep_state;                       /* folder */
	int sweep_line, sweep_state_line;
	int sweep_cross; /* into other file systems */
	int heuristics;  /* 0: off, 1: tag (reported, never cut) */
};

/* The table of the file, for the tests that hold sample and manual page against it. */
extern const struct schema_option settings_options[];

/* As mailfilter's: path NULL: XDG as an ordinary user, else /etc/mailfilter/scanner.conf, else the
 * presets alone. */
int settings_load(const char *path, struct settings *settings_r, struct err *err);
void settings_free(struct settings *settings);

/* What err says is the fault of the option on this line: then FILE:LINE stands before it, and it is
 * ERR_SETTINGS; as it is where it will pass by itself (ERR_AGAIN) or is fatal. Always -1. */
int settings_blame(const struct settings *settings, int line, struct err *err);

#endif
