#!/usr/bin/env -S node --conditions=trestle-bundle --max-semi-space-size=2 --heap-growing-percent=30 --v8-pool-size=1 --single-threaded-gc
await import("../dist/main.js");
