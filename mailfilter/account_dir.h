/* SPDX-License-Identifier: ISC
 * (contract comes with its module) */
#ifndef MAILFILTER_ACCOUNT_DIR_H
#define MAILFILTER_ACCOUNT_DIR_H
#include "common/err.h"
struct account_dir;
int account_dir_open(const char *state_dir, const char *account,
	struct account_dir **dir_r, struct err *err);
void account_dir_close(struct account_dir *dir);
const char *account_dir_path(const struct account_dir *dir);
const char *account_dir_spool(const struct account_dir *dir);
#endif
