/* SPDX-License-Identifier: ISC
 * cmocka 1.1.5 needs four headers before it; this keeps them in that order. */
#ifndef TESTS_TEST_H
#define TESTS_TEST_H
/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */
#endif
