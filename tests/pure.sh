#!/bin/sh
# pure.sh LIBRARY... : the core takes bytes and the time as arguments. Lists every function that it
# calls for I/O, a clock, the environment, threads or the end of the program, and fails if any does.
set -u
names='read|write|readv|writev|pread|pwrite|recv|recvfrom|recvmsg|send|sendto|sendmsg|socket|bind|listen
|accept|accept4|connect|shutdown|open|open64|openat|close|poll|ppoll|select|epoll_[a-z]+|time|clock_gettime
|gettimeofday|sleep|usleep|nanosleep|getenv|secure_getenv|printf|puts|putchar|fprintf|vfprintf|vprintf|dprintf
|perror|fputs|fputc|fwrite|fopen|fopen64|fread|fgets|getline|exit|_exit|fork|execve?|system|getaddrinfo
|pthread_create|signal|sigaction'
names=$(printf %s "$names" | tr -d '\n')
found=0
for library; do
    bad=$(nm -A -u "$library" 2>/dev/null | grep -E " U (__)?($names)(_chk|_2)?(@.*)?$")
    if [ -n "$bad" ]; then
        echo "$bad"
        found=1
    fi
done
exit $found
