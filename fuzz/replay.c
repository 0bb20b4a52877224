/* Feeds files to a fuzz target without a fuzzer: every argument that is a file, and every file
 * below an argument that is a folder, once. */
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "fuzz/fuzz.h"

static unsigned long n_run;

static void fail(const char *path)
{
    perror(path);
    exit(1);
}

/* In a place of just its size, so that a sanitizer sees every byte read too far. */
static void run_file(const char *path, size_t n)
{
    FILE *file = fopen(path, "rb");
    uint8_t *data = malloc(n == 0 ? 1 : n);
    if (file == NULL || data == NULL || fread(data, 1, n, file) != n)
        fail(path);
    fclose(file);
    LLVMFuzzerTestOneInput(data, n);
    free(data);
    n_run++;
}

static void run_path(const char *path);

static void run_folder(const char *path)
{
    DIR *folder = opendir(path);
    if (folder == NULL)
        fail(path);
    for (struct dirent *e = readdir(folder); e != NULL; e = readdir(folder)) {
        char below[4096];
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        snprintf(below, sizeof below, "%s/%s", path, e->d_name);
        run_path(below);
    }
    closedir(folder);
}

static void run_path(const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0)
        fail(path);
    if (S_ISDIR(st.st_mode))
        run_folder(path);
    else
        run_file(path, (size_t)st.st_size);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        run_path(argv[i]);
    printf("%lu inputs\n", n_run);
    return 0;
}
