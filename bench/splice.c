/*
 * The fastest that one file can cross the loopback: what Kinomill's uploads are compared with.
 *   splice sink PORT FILE SYNC               takes one HTTP PUT or POST into FILE, answers 201 and ends;
 *                                            with SYNC=1 the file is on the disk before the answer
 *   splice send PORT PATH FILE AUTHORIZATION sends FILE by sendfile, prints the answer's first line
 *   splice patch PORT PATH FILE AUTHORIZATION the same as the one piece of an upload by tus
 * The sink moves the bytes from the socket to the file through a pipe; they never enter its memory.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* The largest pipe that an unprivileged process may ask for. */
enum { PIPE_BYTES = 1 << 20, HEAD_BYTES = 16384 };

static void check(long result, const char *what) {
  if (result < 0) {
    perror(what);
    exit(1);
  }
}

static struct sockaddr_in loopback(const char *port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(port))};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

static int sink(const char *port, const char *path, int sync) {
  struct sockaddr_in address = loopback(port);
  int listener = socket(AF_INET, SOCK_STREAM, 0), one = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  check(bind(listener, (struct sockaddr *)&address, sizeof address), "bind");
  check(listen(listener, 1), "listen");
  int peer = accept(listener, NULL, NULL), file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  check(peer, "accept");
  check(file, "open");

  /* The head is peeked at, then read exactly, so that the body is still in the socket. */
  char head[HEAD_BYTES + 1];
  char *end = NULL;
  while (end == NULL) {
    long seen = recv(peer, head, HEAD_BYTES, MSG_PEEK);
    check(seen, "recv");
    head[seen] = 0;
    end = strstr(head, "\r\n\r\n");
  }
  end[2] = 0;
  long head_bytes = end + 4 - head;
  check(recv(peer, head, head_bytes, MSG_WAITALL), "recv");
  char *length = strcasestr(head, "\ncontent-length:");
  long long left = length == NULL ? 0 : atoll(length + 16);

  int pipes[2];
  check(pipe(pipes), "pipe");
  fcntl(pipes[1], F_SETPIPE_SZ, PIPE_BYTES);
  while (left > 0) {
    long in = splice(peer, NULL, pipes[1], NULL, left < PIPE_BYTES ? left : PIPE_BYTES, SPLICE_F_MOVE);
    check(in, "splice in");
    if (in == 0) return 1;
    left -= in;
    while (in > 0) {
      long out = splice(pipes[0], NULL, file, NULL, in, SPLICE_F_MOVE);
      check(out, "splice out");
      in -= out;
    }
  }
  if (sync) check(fsync(file), "fsync");
  const char answer[] = "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n";
  check(write(peer, answer, sizeof answer - 1), "write");
  close(peer);
  return 0;
}

static const char post[] = "POST", patch[] = "PATCH", video[] = "video/mp4",
                  piece[] = "application/offset+octet-stream\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: 0";

static int send_file(const char *method, const char *type, const char *port, const char *target,
                     const char *path, const char *authorization) {
  struct sockaddr_in address = loopback(port);
  int peer = socket(AF_INET, SOCK_STREAM, 0), file = open(path, O_RDONLY);
  check(file, "open");
  check(connect(peer, (struct sockaddr *)&address, sizeof address), "connect");
  struct stat facts;
  check(fstat(file, &facts), "fstat");
  char head[HEAD_BYTES];
  int head_bytes = snprintf(head, sizeof head,
                            "%s %s HTTP/1.1\r\nHost: 127.0.0.1:%s\r\nAuthorization: %s\r\n"
                            "Content-Type: %s\r\nContent-Length: %lld\r\n\r\n",
                            method, target, port, authorization, type, (long long)facts.st_size);
  check(write(peer, head, head_bytes), "write");
  off_t at = 0;
  while (at < facts.st_size) {
    long sent = sendfile(peer, file, &at, facts.st_size - at);
    check(sent, "sendfile");
    if (sent == 0) return 1;
  }
  long got = read(peer, head, sizeof head - 1);
  check(got, "read");
  head[got] = 0;
  printf("%.*s\n", (int)strcspn(head, "\r"), head);
  return 0;
}

int main(int argc, char **argv) {
  if (argc == 5 && strcmp(argv[1], "sink") == 0) return sink(argv[2], argv[3], atoi(argv[4]));
  if (argc == 6 && strcmp(argv[1], "send") == 0) return send_file(post, video, argv[2], argv[3], argv[4], argv[5]);
  if (argc == 6 && strcmp(argv[1], "patch") == 0) return send_file(patch, piece, argv[2], argv[3], argv[4], argv[5]);
  fprintf(stderr, "usage: splice sink PORT FILE SYNC | splice send|patch PORT PATH FILE AUTHORIZATION\n");
  return 2;
}
