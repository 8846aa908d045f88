// What the threads of a process have on their heaps, asked from its main thread. A heap belongs to one thread
// and nobody else can read it, so this file is loaded into each of them (node --import) and answers on a
// broadcast channel; as long as nothing is collected, a heap grows by what is allocated. Loaded into a process of the benchmarks only, never into a daemon as shipped.

import { PerformanceObserver } from 'node:perf_hooks'
import { getHeapStatistics } from 'node:v8'
import { BroadcastChannel, isMainThread, threadId } from 'node:worker_threads'

export interface ThreadHeap {
  readonly thread: number
  readonly usedBytes: number
  readonly collections: number
}

const CHANNEL = 'thread-heap'

let collections = 0

function heapOfThisThread(): ThreadHeap {
  const { used_heap_size: usedBytes } = getHeapStatistics()
  return { thread: threadId, usedBytes, collections }
}

function say(channel: BroadcastChannel, what: ThreadHeap | 'ask'): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- that is for windows
  channel.postMessage(what)
}

/** Those of all threads that answer in time; the one that asks is among them. */
export async function askThreads(waitMs: number): Promise<ThreadHeap[]> {
  const channel = new BroadcastChannel(CHANNEL)
  const heaps: ThreadHeap[] = [heapOfThisThread()]
  channel.addEventListener('message', (event) => {
    const { data } = event as unknown as { data: ThreadHeap | 'ask' }
    if (data !== 'ask') heaps.push(data)
  })
  say(channel, 'ask')
  await new Promise((resolve) => setTimeout(resolve, waitMs))
  channel.close()
  return heaps
}

/** Counts this thread's collections, and answers if it is not the one that asks. */
function listen(): void {
  const observer = new PerformanceObserver((list) => {
    collections += list.getEntries().length
  })
  observer.observe({ entryTypes: ['gc'] })
  if (isMainThread) return
  const channel = new BroadcastChannel(CHANNEL)
  channel.addEventListener('message', (event) => {
    if ((event as unknown as { data: unknown }).data === 'ask') say(channel, heapOfThisThread())
  })
  channel.unref()
}

if (process.execArgv.some((argument) => argument.includes('thread-heap'))) listen()
