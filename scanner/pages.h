/* SPDX-License-Identifier: ISC
 *
 * What this process has in memory, in large pages. Signatures are looked up all over hundreds of
 * megabytes, and whoever forks copies a table of their pages: both cost less. */
#ifndef SCANNER_PAGES_H
#define SCANNER_PAGES_H

/* Ask the kernel (6.1 or later) for it, page by page; takes seconds for the official signatures.
 * For a process without children, which would keep the small pages. What fails stays as it is. */
void pages_collapse(void);

#endif
