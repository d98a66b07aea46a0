/* page: see page.h. */
#include "admin/page.h"

#include <assert.h>
#include <string.h>

/* The assembler reads the file where it is (the build runs at the top of the tree; the Makefile
 * knows that page.o is made of them) and puts its bytes between two names. */
#define EMBED(name, file)                                                                          \
    __asm__(".pushsection .rodata\n" #name ":\n.incbin \"connector/admin/page/" file "\"\n" #name  \
            "_end:\n.popsection\n");                                                               \
    extern const char name[], name##_end[]

EMBED(page_html, "page.html");
EMBED(page_css, "page.css");
EMBED(page_js, "page.js");
EMBED(modes_js, "modes.js");
EMBED(parts_js, "parts.js");

#define SCRIPT "text/javascript; charset=utf-8"

const struct page_file page_files[PAGE_FILES] = {
    {"/", "text/html; charset=utf-8", page_html, page_html_end},
    {"/page.css", "text/css; charset=utf-8", page_css, page_css_end},
    {"/page.js", SCRIPT, page_js, page_js_end},
    {"/modes.js", SCRIPT, modes_js, modes_js_end},
    {"/parts.js", SCRIPT, parts_js, parts_js_end},
};

const struct page_file *page_find(const char *path)
{
    const struct page_file *file = page_files;

    while (strcmp(file->path, path) != 0) {
        file++;
        assert(file < page_files + PAGE_FILES);
    }
    return file;
}
