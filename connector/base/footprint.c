/* footprint: what is mapped of the program and its libraries, object by object. */
#define _GNU_SOURCE /* dl_iterate_phdr */

#include "base/footprint.h"

#include <link.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

/* Whether the loader wrote into the object's code: then it is not what the file has. */
static bool is_relocated(const struct dl_phdr_info *object)
{
    for (int i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *header = &object->dlpi_phdr[i];
        const ElfW(Dyn) * entry;

        if (header->p_type != PT_DYNAMIC)
            continue;
        entry = (const void *)(object->dlpi_addr + header->p_vaddr);
        for (; entry->d_tag != DT_NULL; entry++)
            if (entry->d_tag == DT_TEXTREL ||
                (entry->d_tag == DT_FLAGS && entry->d_un.d_val & DF_TEXTREL))
                return true;
    }
    return false;
}

/* Only what is never written is the same when it is read from the file again. */
static int let_go(struct dl_phdr_info *object, size_t size, void *context)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);

    (void)size;
    (void)context;
    if (is_relocated(object))
        return 0;
    for (int i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *header = &object->dlpi_phdr[i];
        uintptr_t from = object->dlpi_addr + header->p_vaddr;
        uintptr_t start = from & ~(page - 1);

        if (header->p_type == PT_LOAD && !(header->p_flags & PF_W))
            madvise((void *)start, from + header->p_memsz - start, MADV_DONTNEED);
    }
    return 0;
}

void footprint_trim(void)
{
    dl_iterate_phdr(let_go, NULL);
}
