/* What a power cut would leave of some files: a copy of each as it was when it was last synced.

   Loaded before a process (LD_PRELOAD). After each fsync or fdatasync of a file whose path begins with $SYNCED_FILES
   its content goes to the folder $SYNCED_FOLDER. What was written and not synced is not in there. It reads by the
   file that is open already: closing another one of the same file would take SQLite's locks away. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

static void keep(int file) {
    const char *files = getenv("SYNCED_FILES"), *folder = getenv("SYNCED_FOLDER");
    char link[64], path[4096], lock[4200], making[4300], kept[4300], part[65536];
    if (files == NULL || folder == NULL) return;
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length <= 0) return;
    path[length] = 0;
    if (strncmp(path, files, strlen(files)) != 0) return;
    snprintf(lock, sizeof lock, "%s/lock", folder);
    int turn = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (turn < 0 || flock(turn, LOCK_EX) != 0) abort();
    const char *name = strrchr(path, '/') + 1;
    snprintf(making, sizeof making, "%s/making", folder);
    snprintf(kept, sizeof kept, "%s/%s", folder, name);
    int copy = open(making, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (copy < 0) abort();
    ssize_t got;
    for (off_t at = 0; (got = pread(file, part, sizeof part, at)) > 0; at += got)
        if (write(copy, part, got) != got) abort();
    close(copy);
    if (rename(making, kept) != 0) abort();
    close(turn);
}

static int synced(const char *name, int file) {
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
    int result = real(file), before = errno;
    if (result == 0) keep(file);
    errno = before;
    return result;
}

int fsync(int file) { return synced("fsync", file); }

int fdatasync(int file) { return synced("fdatasync", file); }
