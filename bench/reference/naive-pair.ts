// The job of checkpoint-pair.c as one would write it in Node on a good afternoon: incoming chunks
// go through Buffer.concat, pages through Buffer.compare with subarrays, each page leaves with a
// write of its own, all on the main thread. Nothing in it is a mistake; it is the code that works
// at once.
//
// The figure is the time from the request to loaded in milliseconds. Ours must be several times
// faster than this, otherwise its buffers, its `onread` and its scan were not worth their trouble.
//
//   node naive-pair.js serve MB                    prints {"port":N}, ends with its one connection
//   node naive-pair.js run PORT MB DIRTY ROUNDS    RAM in MiB, the same on both; dirty share 0..1
//       prints {"p50":ms,"p99":ms,"rounds":N,"rate":checkpoints a second,"equal":are both RAMs}
//
// Records, RAM and dirty pages are those of the C program, so that either can be the peer of
// either. It makes no digest of what it sends, which its last record says, and is faster for it.
import type net from 'node:net'

import { acceptOnePeer, connectTo, numberArgument, printFigures, usage } from './loopback.ts'

const pageSize = 4096
const pagesPerMb = 256
const recordPages = 256
const warmUpRounds = 10
const foreignByte = 0xa4

const request = 1
const reply = 2
const dirtyList = 3
const pagesRecord = 4
const end = 5
const received = 6
const loaded = 7
const digestRequest = 8
const digestRecord = 9

// A guest's RAM

const wordsOf = (ram: Buffer) => new Uint32Array(ram.buffer, ram.byteOffset, ram.length / 4)

function newRam(mb: number): Buffer {
  const ram = Buffer.alloc(mb * pagesPerMb * pageSize)
  const words = wordsOf(ram)
  for (let i = 0; i < words.length; i++) words[i] = Math.imul(i, 2_654_435_761) | 1
  return ram
}

const newForeignMemory = (mb: number) => Buffer.alloc(mb * pagesPerMb * pageSize, foreignByte)

const pageOf = (ram: Buffer, pfn: number) => ram.subarray(pfn * pageSize, (pfn + 1) * pageSize)

function digest(ram: Buffer): number {
  let hash = 2_166_136_261
  for (const word of wordsOf(ram)) hash = Math.imul(hash ^ word, 16_777_619)
  return hash >>> 0
}

let randomState = 12_345
function nextRandom(): number {
  randomState ^= randomState << 13
  randomState ^= randomState >>> 17
  randomState ^= randomState << 5
  return (randomState >>>= 0)
}

function dirtyPages(ram: Buffer, share: number) {
  const words = wordsOf(ram)
  const pages = ram.length / pageSize
  const count = Math.floor(pages * share)
  for (let i = 0; i < count; i++) {
    const first = Math.floor((i * pages) / count)
    const past = Math.floor(((i + 1) * pages) / count)
    const page = first + (nextRandom() % (past - first))
    const place = page * (pageSize / 4) + (nextRandom() % (pageSize / 8)) * 2
    words[place + 1] ^= nextRandom()
    words[place] ^= nextRandom()
  }
}

// Records

function head(type: number, length: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeUInt32LE(type, 0)
  bytes.writeUInt32LE(length, 4)
  return bytes
}

function stateRecord(type: number, value = 0): Buffer {
  const body = Buffer.alloc(8)
  body.writeUInt32LE(value)
  return Buffer.concat([head(type, body.length), body])
}

function writePages(socket: net.Socket, pfns: number[], memory: Buffer) {
  const list = Buffer.alloc(8 + 8 * pfns.length)
  list.writeUInt32LE(pfns.length)
  for (const [i, pfn] of pfns.entries()) list.writeBigUInt64LE(BigInt(pfn), 8 + 8 * i)
  socket.write(head(pagesRecord, list.length + pfns.length * pageSize))
  socket.write(list)
  for (const pfn of pfns) socket.write(pageOf(memory, pfn))
}

function applyPages(body: Buffer, ram: Buffer) {
  const count = body.readUInt32LE(0)
  for (let i = 0; i < count; i++) {
    const pfn = Number(body.readBigUInt64LE(8 + 8 * i))
    const from = 8 + 8 * count + i * pageSize
    body.copy(ram, pfn * pageSize, from, from + pageSize)
  }
}

function onRecords(socket: net.Socket, handle: (type: number, body: Buffer) => void) {
  let waiting: Buffer = Buffer.alloc(0)
  socket.on('data', (chunk: Buffer) => {
    waiting = Buffer.concat([waiting, chunk])
    while (waiting.length >= 8) {
      const past = 8 + waiting.readUInt32LE(4)
      if (waiting.length < past) return
      const record = waiting.subarray(0, past)
      waiting = waiting.subarray(past)
      handle(record.readUInt32LE(0), record.subarray(8))
    }
  })
}

// The secondary

async function serve(mb: number) {
  const ram = newForeignMemory(mb)
  const peer = await acceptOnePeer()
  onRecords(peer, (type, body) => {
    if (type === request) {
      peer.write(stateRecord(reply))
      peer.write(head(dirtyList, 0))
    } else if (type === pagesRecord) applyPages(body, ram)
    else if (type === end) {
      peer.write(stateRecord(received))
      peer.write(stateRecord(loaded))
    } else if (type === digestRequest) peer.write(stateRecord(digestRecord, digest(ram)))
  })
}

// The primary

function sendDirtyPages(peer: net.Socket, ram: Buffer, shadow: Buffer) {
  let pfns: number[] = []
  for (let pfn = 0; pfn < ram.length / pageSize; pfn++) {
    const page = pageOf(ram, pfn)
    const old = pageOf(shadow, pfn)
    if (Buffer.compare(page, old) === 0) continue
    page.copy(old)
    pfns.push(pfn)
    if (pfns.length < recordPages) continue
    writePages(peer, pfns, shadow)
    pfns = []
  }
  if (pfns.length > 0) writePages(peer, pfns, shadow)
}

async function run(port: number, mb: number, share: number, rounds: number) {
  const ram = newRam(mb)
  const shadow = newForeignMemory(mb)
  const peer = await connectTo(port)
  const waiting = new Map<number, (body: Buffer) => void>()
  onRecords(peer, (type, body) => waiting.get(type)?.(body))
  const next = (type: number) => new Promise<Buffer>((resolve) => waiting.set(type, resolve))

  async function checkpointMs(): Promise<number> {
    const start = performance.now()
    const list = next(dirtyList)
    peer.write(stateRecord(request))
    await list
    const done = next(loaded)
    sendDirtyPages(peer, ram, shadow)
    peer.write(Buffer.concat([head(end, 192), Buffer.alloc(192)]))
    await done
    return performance.now() - start
  }

  await checkpointMs() // the seed: no page is like its shadow yet, so all of them go
  const samples = new Float64Array(rounds)
  for (let round = -warmUpRounds; round < rounds; round++) {
    dirtyPages(ram, share)
    const took = await checkpointMs()
    if (round >= 0) samples[round] = took
  }
  const theirs = next(digestRecord)
  peer.write(stateRecord(digestRequest))
  const equal = (await theirs).readUInt32LE(0) === digest(ram)
  peer.end()
  const rate = (rounds * 1000) / samples.reduce((sum, ms) => sum + ms, 0)
  printFigures(samples, { rate, equal })
  if (!equal) process.exitCode = 1
}

const [verb, ...rest] = process.argv.slice(2)
const mbMax = 2048
if (verb === 'serve') await serve(numberArgument(rest[0], 1, mbMax))
else if (verb === 'run') {
  await run(
    numberArgument(rest[0], 1, 65_535),
    numberArgument(rest[1], 1, mbMax),
    numberArgument(rest[2], 0, 1),
    numberArgument(rest[3], 1, 1_000_000),
  )
} else usage('naive-pair.js serve MB | run PORT MB DIRTY ROUNDS')
