#!/usr/bin/env -S MALLOC_TRIM_THRESHOLD_=262144 node --conditions=trestle-bundle --max-semi-space-size=4 --heap-growing-percent=80 --v8-pool-size=1 --single-threaded-gc
await import("../dist/main.js");
