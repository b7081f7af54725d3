/* A program for faults.c to be proven on: `probe cut` writes, flushes, removes and waits to be killed; `probe fail`
 * says what its calls came to, once there is a file `go`. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void put(const char *name, const char *text, int flush) {
  int fd = open(name, O_WRONLY | O_CREAT | O_APPEND, 0644);
  if (write(fd, text, strlen(text)) < 0) _exit(1);
  if (flush && fsync(fd)) _exit(1);
  close(fd);
}

static void flush_folder(const char *name) {
  int fd = open(name, O_RDONLY);
  if (fsync(fd)) _exit(1);
  close(fd);
}

static void said(long outcome) {
  if (outcome >= 0)
    printf("ok ");
  else
    printf("%s ", errno == ENOSPC ? "ENOSPC" : errno == EIO ? "EIO" : errno == EMFILE ? "EMFILE" : "other");
}

int main(int count, char **args) {
  if (count > 1 && !strcmp(args[1], "cut")) {
    put("old", " and lost", 0);
    put("kept", "flushed", 1);
    put("kept", " and lost", 0);
    put("unflushed", "lost", 0);
    unlink("gone");
    mkdir("folder", 0755);
    put("folder/inside", "in", 1);
    flush_folder("folder");
    flush_folder(".");
    put("unnamed", "flushed without its folder", 1);
    unlink("stays");
    put("again", "an inode may be used again", 1);
    puts("done");
    fflush(stdout);
    pause();
  }
  int fd = open("file", O_RDWR | O_CREAT, 0644);
  puts("ready");
  fflush(stdout);
  while (access("go", F_OK)) usleep(1000);
  for (int at = 0; at < 4; at++) said(pwrite(fd, "0123", 4, 4 * at));
  for (int at = 0; at < 3; at++) said(fsync(fd));
  said(open("other", O_CREAT | O_RDWR, 0644));
  puts("");
  return 0;
}
