#!/bin/sh
# The bosun (shell) looks at the disk every fifteen seconds and prints what he sees. Any command can be an agent: each
# printed line is a sign of life, and nothing of Quarterdeck has to be known for it.
trap 'echo "the bosun leaves"; exit 0' TERM INT
while :; do
  df -Pk . | awk 'NR == 2 { printf "disk: %d MB free, %s used\n", $4 / 1024, $5 }'
  # A shell heeds signals only between commands, so it waits for the sleep instead of being in it.
  sleep 15 &
  wait $!
done
