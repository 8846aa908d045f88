// BER of guest memory beside asn1js, the library that one would take: 64 MiB of full pages, written and read.
// Ours goes as in `colo convert`: chunks to a sink, pages from a source. asn1js makes its tree and one buffer, as
// it must, and has its limits raised where it reads, since it takes 10,000 elements otherwise.

import { Constructed, fromBER, Integer, OctetString, Sequence } from 'asn1js'

import { BerReader } from '../formats/ber/ber-reader.ts'
import { numberOf } from '../formats/ber/ber-tag.ts'
import { BerWriter } from '../formats/ber/ber-writer.ts'
import { GatheringSink } from '../formats/ber/gathering-sink.ts'
import { TAGS } from '../formats/ber/migration-tags.ts'
import type { RamListener } from '../formats/ber/ram-list.ts'
import { readRamList } from '../formats/ber/ram-list-reader.ts'
import { RamListWriter } from '../formats/ber/ram-list-writer.ts'
import { sourceOf, type ByteSink } from '../formats/qemu/file/qemu-file.ts'
import { alternate } from './compare.ts'
import { beside, type Benchmark, type Figure } from './figure.ts'

const pageBytes = 4096
const pagesAll = 16_384
const pagesQuick = 1024
const timesFaster = 50
/** Ours are so short that whatever else the machine does would decide: as many as take about as long. */
const ourTimes = 50
const limits = { maxNodes: 10_000_000, maxContentLength: 1_000_000_000, maxDepth: 100 }

/** Pages in which no byte is worth compressing. */
function randomPages(count: number): Uint8Array {
  const bytes = new Uint8Array(count * pageBytes)
  const words = new Uint32Array(bytes.buffer)
  let state = 1
  for (let i = 0; i < words.length; i++) {
    state = Math.imul(state, 1_664_525) + 1_013_904_223
    words[i] = state
  }
  return bytes
}

/** Takes chunks as a file does, but for the copy that the kernel would make. */
class Counted implements ByteSink {
  length = 0

  write(bytes: Uint8Array): void {
    this.length += bytes.length
  }
}

function writeOurs(memory: Uint8Array, to: ByteSink): void {
  const gathering = new GatheringSink(to)
  const ber = new BerWriter(gathering)
  const ram = new RamListWriter(ber)
  ram.begin(pageBytes)
  for (let at = 0; at < memory.length; at += pageBytes) {
    ram.page('pc.ram', at > 0, at, memory.subarray(at, at + pageBytes))
  }
  ram.end()
  ber.finish()
  gathering.flush()
}

function lengthOfOurs(memory: Uint8Array): number {
  const counted = new Counted()
  writeOurs(memory, counted)
  return counted.length
}

function bytesOfOurs(memory: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(lengthOfOurs(memory))
  let at = 0
  writeOurs(memory, {
    write(part) {
      bytes.set(part, at)
      at += part.length
    },
  })
  return bytes
}

class Counter implements RamListener {
  pages = 0
  blockList(): void {}
  block(): void {}
  zeroRun(): void {}
  fillPage(): void {}
  xbzrlePage(): void {}
  zlibPage(): void {}
  hook(): void {}
  multifdFlush(): void {}

  page(_address: number, bytes: Uint8Array): void {
    if (bytes.length === pageBytes) this.pages++
  }
}

function ourReader(bytes: Uint8Array): number {
  const counter = new Counter()
  const ber = new BerReader(sourceOf(bytes))
  readRamList(ber, counter)
  ber.endOfFile()
  return counter.pages
}

/** The same elements as asn1js has them. */
function treeOf(memory: Uint8Array): Sequence {
  const value: Constructed[] = []
  for (let at = 0; at < memory.length; at += pageBytes) {
    const data = new OctetString({ valueHex: memory.subarray(at, at + pageBytes) })
    const idBlock = { tagClass: 2, tagNumber: numberOf(TAGS.FullPage) }
    value.push(new Constructed({ idBlock, value: [new Integer({ value: at }), data] }))
  }
  return new Sequence({ value })
}

function check(isTrue: boolean, what: string): void {
  if (!isTrue) throw new Error(`the benchmark of BER is wrong: ${what}`)
}

/** Milliseconds for one of so many runs behind each other. */
function measured(run: () => boolean, times: number, what: string): () => Promise<number> {
  return async () => {
    let isRight = true
    const began = performance.now()
    for (let i = 0; i < times; i++) isRight = run() && isRight
    const ms = (performance.now() - began) / times
    check(isRight, what)
    return ms
  }
}

export const berOfPages: Benchmark = async ({ rounds, quick, tell }) => {
  const pages = quick ? pagesQuick : pagesAll
  const memory = randomPages(pages)
  const ours = bytesOfOurs(memory)
  const theirs = new Uint8Array(treeOf(memory).toBER())
  const figures: Figure[] = []
  const compare = async (name: string, our: () => boolean, their: () => boolean) => {
    const arms = {
      ours: measured(our, ourTimes, name),
      theirs: measured(their, 1, `${name}, asn1js`),
    }
    await alternate(2, arms) // compiled code, warm
    const results = await alternate(rounds, arms)
    tell(`${name}: ${results.ours.length} rounds`)
    const goal = { sign: '>=', limit: timesFaster, of: 'ratio' } as const
    const given = { part: 'i', name, unit: 'ms', goal }
    const reference = { name: 'asn1js', values: results.theirs, inverse: true }
    figures.push(beside(given, results.ours, reference))
  }
  const what = `BER of ${(pages * pageBytes) / 2 ** 20} MiB of full pages`
  await compare(
    `${what}, written`,
    () => lengthOfOurs(memory) === ours.length,
    () => treeOf(memory).toBER().byteLength === theirs.length,
  )
  await compare(
    `${what}, read`,
    () => ourReader(ours) === pages,
    () => fromBER(theirs, limits).offset === theirs.length,
  )
  return figures
}
