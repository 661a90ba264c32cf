/* SPDX-License-Identifier: ISC
 *
 * The sscanf(3) of this program, and so of the libraries in it: libclamav reads each number of the
 * expression of each logical signature by it, for each file that it looks at. That is a tenth of a
 * scan with signatures of the official number, most of it what a stream costs that is made of a string.
 * Here a plain number is read without one. */
#ifndef SCANNER_ENGINE_SSCANF_H
#define SCANNER_ENGINE_SSCANF_H

/* As the C library's, which does all but the format "%u" with a number of few digits at the start. */
int engine_sscanf(const char *text, const char *format, ...) __asm__("sscanf")
	__attribute__((format(scanf, 2, 3)));

#endif
