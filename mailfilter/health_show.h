/* SPDX-License-Identifier: ISC
 *
 * A scanner's health for people, in a table that fits 80 columns, and for scripts. Pure. */
#ifndef MAILFILTER_HEALTH_SHOW_H
#define MAILFILTER_HEALTH_SHOW_H

#include "common/health.h"
#include "common/json.h"

/* Append the lines; none before it did anything. */
int health_show_text(const struct health *health, struct buf *out, struct err *err);

/* Add "counts" and "times" to the open object. */
void health_show_json(const struct health *health, struct json *json);

#endif
