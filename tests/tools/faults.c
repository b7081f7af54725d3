/* Faults of a disk for a program under test, loaded with LD_PRELOAD (tests/it/faults.rs compiles and uses it).
 *
 * FAULTS_DIR      the folder that is followed; files elsewhere are left alone
 * FAULTS_CONTROL  a file with one rule a line, read anew whenever it was replaced:
 *                     CALL COUNT ERROR PART
 *                 CALL   write | sync | open | openw (for writing) | torn (half of the bytes are written, then the error)
 *                 COUNT  3: the third call that fits;  3+: the third and every one after it
 *                 ERROR  ENOSPC | EIO | EACCES | EMFILE | EROFS
 *                        CUT: the call is the last one of the program; a write is made before it ends
 *                 PART   text that the path of the file has; `*` for any
 *                 Calls are counted from the moment that the rule was read. Each call that was made to fail
 *                 is written to FAULTS_CONTROL.log.
 * FAULTS_DISK     what a power cut would leave, at its worst: a file has the bytes of its last fsync, and a
 *                 folder has the names of its last fsync. What stood there before the program started is on
 *                 the disk already (the test wrote it there, by inode):
 *                     data/ID    the bytes of a file        names/ID    `f ID NAME` or `d ID NAME` a line
 *                 The followed folder's own ID is `root`. Without FAULTS_DISK nothing is kept.
 *
 * Files ending in -shm are memory of running processes: never kept. One process at a time is followed.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum call { WRITE, SYNC, OPEN, OPENW, TORN };

/* Stands where an error does. */
enum { CUT = -1 };

struct rule {
  enum call call;
  long count, seen;
  int onwards, error;
  char part[256];
};

/* A file or folder that was made while the program ran: inodes are used again, these ids are not. */
struct made {
  ino_t inode;
  long number;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char *dir, *control, *disk;
static struct rule rules[16];
static int rules_count;
static struct made *made;
static size_t made_count, made_room;
static long made_last;

/* The functions of the C library that stand behind ours. */
static int (*real_open)(const char *, int, ...);
static int (*real_openat)(int, const char *, int, ...);
static ssize_t (*real_write)(int, const void *, size_t);
static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);
static ssize_t (*real_writev)(int, const struct iovec *, int);
static int (*real_fsync)(int);
static int (*real_mkdir)(const char *, mode_t);

__attribute__((constructor)) static void start(void) {
  static int started;
  if (started) return;
  started = 1;
  real_open = dlsym(RTLD_NEXT, "open");
  real_openat = dlsym(RTLD_NEXT, "openat");
  real_write = dlsym(RTLD_NEXT, "write");
  real_pwrite = dlsym(RTLD_NEXT, "pwrite");
  real_writev = dlsym(RTLD_NEXT, "writev");
  real_fsync = dlsym(RTLD_NEXT, "fsync");
  real_mkdir = dlsym(RTLD_NEXT, "mkdir");
  dir = getenv("FAULTS_DIR");
  control = getenv("FAULTS_CONTROL");
  disk = getenv("FAULTS_DISK");
}

static int below(const char *path) {
  size_t length = dir ? strlen(dir) : 0;
  return length && !strncmp(path, dir, length) && (path[length] == '/' || !path[length]);
}

/* The path behind a descriptor, where it is followed. */
static int followed(int fd, char path[PATH_MAX]) {
  char link[64];
  start();
  if (!dir || fd < 0) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, PATH_MAX - 1);
  if (length <= 0) return 0;
  path[length] = 0;
  return below(path);
}

/* The whole path of a name that is opened; its file may not be there yet. */
static int named(int at, const char *name, char path[PATH_MAX]) {
  char folder[PATH_MAX / 2];
  start();
  if (!dir || !name) return 0;
  if (name[0] == '/') {
    snprintf(path, PATH_MAX, "%s", name);
    return below(path);
  }
  if (at == AT_FDCWD) {
    if (!getcwd(folder, sizeof folder)) return 0;
  } else {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", at);
    ssize_t length = readlink(link, folder, sizeof folder - 1);
    if (length <= 0) return 0;
    folder[length] = 0;
  }
  snprintf(path, PATH_MAX, "%s/%s", folder, name);
  return below(path);
}

/* ---- rules ---- */

static int error_of(const char *name) {
  if (!strcmp(name, "ENOSPC")) return ENOSPC;
  if (!strcmp(name, "EACCES")) return EACCES;
  if (!strcmp(name, "EMFILE")) return EMFILE;
  if (!strcmp(name, "EROFS")) return EROFS;
  if (!strcmp(name, "CUT")) return CUT;
  return EIO;
}

static void read_rules(void) {
  static struct stat known;
  struct stat now;
  if (!control || stat(control, &now)) return;
  if (now.st_ino == known.st_ino && now.st_mtim.tv_sec == known.st_mtim.tv_sec &&
      now.st_mtim.tv_nsec == known.st_mtim.tv_nsec)
    return;
  known = now;
  rules_count = 0;
  char text[4096];
  int fd = real_open(control, O_RDONLY | O_CLOEXEC);
  ssize_t length = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
  if (fd >= 0) close(fd);
  text[length > 0 ? length : 0] = 0;
  char *rest = text, *line;
  while ((line = strsep(&rest, "\n")) && rules_count < 16) {
    char call[16], count[16], error[16];
    struct rule rule = {0};
    if (sscanf(line, "%15s %15s %15s %255s", call, count, error, rule.part) != 4) continue;
    rule.call = !strcmp(call, "sync") ? SYNC : !strcmp(call, "open") ? OPEN : !strcmp(call, "openw") ? OPENW : !strcmp(call, "torn") ? TORN : WRITE;
    rule.count = strtol(count, NULL, 10);
    rule.onwards = strchr(count, '+') != NULL;
    rule.error = error_of(error);
    rules[rules_count++] = rule;
  }
}

/* The error that this call is to fail with, or 0; `*torn` where half of it is to be written first. */
static int fails(enum call call, const char *path, int *torn) {
  read_rules();
  int error = 0;
  for (int at = 0; at < rules_count; at++) {
    struct rule *rule = &rules[at];
    int fits = rule->call == call || (rule->call == TORN && call == WRITE) || (rule->call == OPEN && call == OPENW);
    if (!fits || (strcmp(rule->part, "*") && !strstr(path, rule->part))) continue;
    rule->seen++;
    if (error || !(rule->seen == rule->count || (rule->onwards && rule->seen > rule->count))) continue;
    error = rule->error;
    if (torn) *torn = rule->call == TORN;
  }
  if (error) {
    char log[PATH_MAX], line[PATH_MAX + 32];
    static const char *const names[] = {"write", "sync", "open", "open", "torn"};
    snprintf(log, sizeof log, "%s.log", control);
    int fd = real_open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    int length = snprintf(line, sizeof line, "%s %s\n", names[torn && *torn ? TORN : call], path);
    if (fd >= 0 && real_write(fd, line, (size_t)length) < 0) abort();
    if (fd >= 0) close(fd);
  }
  if (error == CUT && call != WRITE) kill(getpid(), SIGKILL);
  return error;
}

/* ---- what a power cut leaves ---- */

static void remember(ino_t inode) {
  if (!disk) return;
  if (made_count == made_room) {
    made_room = made_room ? made_room * 2 : 64;
    made = realloc(made, made_room * sizeof *made);
    if (!made) abort();
  }
  made[made_count++] = (struct made){inode, ++made_last};
}

static void id_of(ino_t inode, char id[40]) {
  for (size_t at = made_count; at > 0; at--) {
    if (made[at - 1].inode == inode) {
      snprintf(id, 40, "new%ld", made[at - 1].number);
      return;
    }
  }
  snprintf(id, 40, "%lu", (unsigned long)inode);
}

/* Written beside it and renamed: a kill in the middle leaves what was there. */
static void keep(const char *kind, const char *id, int from, const char *text, size_t length) {
  char draft[PATH_MAX], path[PATH_MAX], part[65536];
  snprintf(draft, sizeof draft, "%s/draft-%d", disk, (int)getpid());
  snprintf(path, sizeof path, "%s/%s/%s", disk, kind, id);
  int fd = real_open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) abort();
  if (text && real_write(fd, text, length) != (ssize_t)length) abort();
  for (off_t at = 0; from >= 0;) {
    ssize_t got = pread(from, part, sizeof part, at);
    if (got <= 0) break;
    if (real_write(fd, part, (size_t)got) != got) abort();
    at += got;
  }
  close(fd);
  if (rename(draft, path)) abort();
}

static void keep_names(const char *path, const char *id) {
  DIR *open = opendir(path);
  if (!open) return;
  size_t length = 0, room = 1 << 20;
  char *text = malloc(room);
  struct dirent *entry;
  while (text && (entry = readdir(open))) {
    char child[40];
    if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
    if (entry->d_type != DT_REG && entry->d_type != DT_DIR) continue;
    id_of(entry->d_ino, child);
    length += (size_t)snprintf(text + length, room - length, "%c %s %s\n", entry->d_type == DT_DIR ? 'd' : 'f', child,
                               entry->d_name);
    if (length + 512 > room) abort();
  }
  closedir(open);
  if (text) keep("names", id, -1, text, length);
  free(text);
}

static int sync_of(int fd) {
  char path[PATH_MAX], id[40];
  struct stat about;
  if (!followed(fd, path)) return real_fsync(fd);
  pthread_mutex_lock(&lock);
  int error = fails(SYNC, path, NULL), readable = -1;
  if (!error && disk && !fstat(fd, &about)) {
    if (S_ISDIR(about.st_mode)) {
      id_of(about.st_ino, id);
      keep_names(path, strcmp(path, dir) ? id : "root");
    } else if (S_ISREG(about.st_mode)) {
      char link[64];
      id_of(about.st_ino, id);
      /* The descriptor may be for writing alone. */
      snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
      readable = real_open(link, O_RDONLY | O_CLOEXEC);
      if (readable < 0) abort();
      keep("data", id, readable, NULL, 0);
      close(readable);
    }
  }
  pthread_mutex_unlock(&lock);
  if (error) {
    errno = error;
    return -1;
  }
  /* The image is what counts for a test; the real disk need not be waited for. */
  return disk ? 0 : real_fsync(fd);
}

int fsync(int fd) { return sync_of(fd); }
int fdatasync(int fd) { return sync_of(fd); }

/* ---- opening and making ---- */

static int opened(int at, const char *name, int flags, mode_t mode) {
  char path[PATH_MAX];
  struct stat about;
  if (!named(at, name, path)) return real_openat(at, name, flags, mode);
  pthread_mutex_lock(&lock);
  int error = fails((flags & O_ACCMODE) == O_RDONLY ? OPEN : OPENW, path, NULL);
  int missing = (flags & O_CREAT) && fstatat(at, name, &about, 0) && errno == ENOENT;
  int fd = error ? -1 : real_openat(at, name, flags, mode);
  int problem = error ? error : errno;
  if (fd >= 0 && missing && !fstat(fd, &about)) remember(about.st_ino);
  pthread_mutex_unlock(&lock);
  errno = problem;
  return fd;
}

#define MODE_OF(flags, mode)                      \
  mode_t mode = 0;                                \
  if ((flags) & (O_CREAT | __O_TMPFILE)) {        \
    va_list more;                                 \
    va_start(more, flags);                        \
    mode = va_arg(more, mode_t);                  \
    va_end(more);                                 \
  }

int open(const char *name, int flags, ...) {
  MODE_OF(flags, mode)
  start();
  return opened(AT_FDCWD, name, flags, mode);
}

int open64(const char *name, int flags, ...) {
  MODE_OF(flags, mode)
  start();
  return opened(AT_FDCWD, name, flags, mode);
}

int openat(int at, const char *name, int flags, ...) {
  MODE_OF(flags, mode)
  start();
  return opened(at, name, flags, mode);
}

int openat64(int at, const char *name, int flags, ...) {
  MODE_OF(flags, mode)
  start();
  return opened(at, name, flags, mode);
}

int mkdir(const char *name, mode_t mode) {
  char path[PATH_MAX];
  struct stat about;
  start();
  int done = real_mkdir(name, mode), problem = errno;
  if (!done && named(AT_FDCWD, name, path) && !stat(name, &about)) {
    pthread_mutex_lock(&lock);
    remember(about.st_ino);
    pthread_mutex_unlock(&lock);
  }
  errno = problem;
  return done;
}

/* ---- writing ---- */

/* Whether the write was made to fail; nothing is written while another thread's fsync is being kept. */
static int refused(int fd, const void *bytes, size_t length, off_t at, ssize_t *outcome) {
  char path[PATH_MAX];
  if (!followed(fd, path)) return 0;
  pthread_mutex_lock(&lock);
  int torn = 0, error = fails(WRITE, path, &torn);
  if (error && torn && length > 1) {
    ssize_t half = at < 0 ? real_write(fd, bytes, length / 2) : real_pwrite(fd, bytes, length / 2, at);
    if (half < 0) error = errno;
  }
  if (!error || error == CUT)
    *outcome = at < 0 ? real_write(fd, bytes, length) : real_pwrite(fd, bytes, length, at);
  if (error == CUT) kill(getpid(), SIGKILL);
  int problem = errno;
  pthread_mutex_unlock(&lock);
  if (error) *outcome = -1;
  errno = error ? error : problem;
  return 1;
}

ssize_t write(int fd, const void *bytes, size_t length) {
  ssize_t outcome;
  start();
  return refused(fd, bytes, length, -1, &outcome) ? outcome : real_write(fd, bytes, length);
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t at) {
  ssize_t outcome;
  start();
  return refused(fd, bytes, length, at, &outcome) ? outcome : real_pwrite(fd, bytes, length, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t at) { return pwrite(fd, bytes, length, at); }

/* Several parts count as one write; a torn one writes the first part's half. */
ssize_t writev(int fd, const struct iovec *parts, int count) {
  char path[PATH_MAX];
  ssize_t outcome;
  start();
  if (count == 1) return write(fd, parts[0].iov_base, parts[0].iov_len);
  if (!followed(fd, path) || count < 1) return real_writev(fd, parts, count);
  pthread_mutex_lock(&lock);
  int torn = 0, error = fails(WRITE, path, &torn);
  if (error && torn && real_write(fd, parts[0].iov_base, parts[0].iov_len / 2) < 0) error = errno;
  outcome = error && error != CUT ? -1 : real_writev(fd, parts, count);
  if (error == CUT) kill(getpid(), SIGKILL);
  int problem = errno;
  pthread_mutex_unlock(&lock);
  errno = error ? error : problem;
  return outcome;
}
