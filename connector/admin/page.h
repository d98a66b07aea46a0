/*
 * page: the status page, which shows /status to a person: the files of admin/page/, kept in the
 * program as they are. It needs nothing from elsewhere, and PAGE_HEADERS forbid it to ask.
 */
#ifndef ADMIN_PAGE_H
#define ADMIN_PAGE_H

enum { PAGE_FILES = 5 };

struct page_file {
    const char *path; /* "/page.css" */
    const char *type;
    const char *text, *end; /* not 0-ended; `end` is behind its last byte */
};

/* What a browser may do with it: run and show what is here, in no frame, and tell nobody. */
#define PAGE_HEADERS                                                                               \
    "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; "           \
    "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "                     \
    "frame-ancestors 'none'\n"                                                                     \
    "Referrer-Policy: no-referrer"

extern const struct page_file page_files[PAGE_FILES];

/* The file of a path, which must be one of theirs. */
const struct page_file *page_find(const char *path);

#endif
