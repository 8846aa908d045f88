// Page channels written here, packet by packet: what no QEMU would send, and what is said of it. Those of a real QEMU
// are in decode-multifd.test.ts.

import { constants, deflateSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { ZlibChannel } from '../../tools/decode/zlib-pages.ts'
import { ZstdChannel } from '../../tools/decode/zstd-pages.ts'
import type { RamBlock } from '../../formats/qemu/stream/migration-sink.ts'
import { SECTION_START, SilentSink } from '../../formats/qemu/stream/migration-sink.ts'
import { MigrationStream } from '../../formats/qemu/stream/migration-stream.ts'
import { MigrationWriter } from '../../formats/qemu/stream/migration-writer.ts'
import { MultifdChannel } from '../../formats/qemu/stream/multifd.ts'
import { QemuFileReader, QemuFileWriter } from '../../formats/qemu/file/qemu-file.ts'
import { QemuStreamError } from '../../formats/qemu/file/qemu-stream-error.ts'
import { RAM_EOS, RAM_MULTIFD_FLUSH } from '../../formats/qemu/stream/ram-section.ts'

const PAGE = 4096
const BLOCKS: readonly RamBlock[] = [{ name: 'a', index: 0, usedBytes: 64 * PAGE }]
const UNPACKERS = { zlib: () => new ZlibChannel(), zstd: () => new ZstdChannel() }
const [SYNC, ZLIB, ZSTD] = [1, 2, 4]
const GREETING_BYTES = 64
const PACKET_HEAD_BYTES = 320

function written(write: (file: QemuFileWriter) => void): Uint8Array {
  const parts: Uint8Array[] = []
  const file = new QemuFileWriter({ write: (bytes) => void parts.push(bytes.slice()) })
  write(file)
  file.flush()
  return new Uint8Array(Buffer.concat(parts))
}

interface Packet {
  readonly flags?: number
  readonly pages?: readonly number[]
  readonly data?: Uint8Array
  readonly block?: string
  readonly number?: number
  readonly places?: number
}

/** `offsets` are given as pages; the last packet syncs if nothing else is said. */
function channelOf(packets: readonly Packet[], id = 0, version = 1): Uint8Array {
  return written((file) => {
    file.u32(0x1122_3344)
    file.u32(version)
    file.bytes(new Uint8Array(16))
    file.u8(id)
    file.bytes(new Uint8Array(39))
    for (const [index, packet] of packets.entries()) {
      const { flags = SYNC, pages = [], data = new Uint8Array(0), block = 'a' } = packet
      file.u32(0x1122_3344)
      file.u32(1)
      file.u32(flags)
      file.u32(packet.places ?? pages.length)
      file.u32(pages.length)
      file.u32(data.length)
      file.u64(BigInt(packet.number ?? index))
      file.bytes(new Uint8Array(32))
      file.bytes(Uint8Array.from({ length: 256 }, (_, i) => block.charCodeAt(i) || 0))
      for (const page of pages) file.u64(BigInt(page * PAGE))
      file.bytes(data)
    }
  })
}

class Pages extends SilentSink {
  readonly said: string[] = []

  override page(
    { name }: RamBlock,
    address: number,
    _flags: number,
    bytes: Uint8Array,
    start: number,
  ): void {
    this.said.push(`${name} ${address / PAGE}: ${bytes[start]} ${bytes[start + PAGE - 1]}`)
  }

  override zeroPage({ name }: RamBlock, address: number): void {
    this.said.push(`${name} ${address / PAGE}: zero`)
  }
}

function readAll(bytes: Uint8Array): { readonly said: string[]; readonly channel: MultifdChannel } {
  const pages = new Pages()
  const channel = new MultifdChannel(QemuFileReader.over(bytes), pages, UNPACKERS)
  channel.readToSync(BLOCKS)
  channel.readRest()
  return { said: pages.said, channel }
}

const plain = (...values: number[]) =>
  new Uint8Array(Buffer.concat(values.map((value) => Buffer.alloc(PAGE, value))))
const deflated = (bytes: Uint8Array) => deflateSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH })
/** A frame of one run for each page. */
const zstd = (values: readonly number[], hasHead = true, window = 0x48) =>
  Uint8Array.from([
    ...(hasHead ? [0x28, 0xb5, 0x2f, 0xfd, 0, window] : []),
    ...values.flatMap((value) => [0x02, (PAGE >> 5) & 0xff, PAGE >> 13, value]),
  ])

describe('page channels', () => {
  it('give their pages, packed or not', () => {
    const data = plain(1, 2)
    const expected = ['a 3: 1 1', 'a 9: 2 2']
    for (const [flags, packed, method] of [
      [SYNC, data, 'none'],
      [SYNC | ZLIB, deflated(data), 'zlib'],
      [SYNC | ZSTD, zstd([1, 2]), 'zstd'],
    ] as const) {
      const { said, channel } = readAll(channelOf([{ flags, pages: [3, 9], data: packed }], 5))
      expect(said).toEqual(expected)
      expect(channel).toMatchObject({ id: 5, method, pages: 2, packets: 1, highestNumber: 0 })
      expect(channel.packedBytes).toBe(packed.length)
    }
  })

  it('may have packets of any packing that have no pages, and bytes of none', () => {
    const empty = { flags: SYNC, pages: [] }
    const one = { flags: ZSTD, pages: [1], data: zstd([7]) }
    const two = { flags: ZSTD | SYNC, pages: [2], data: zstd([8], false) }
    const { said, channel } = readAll(channelOf([one, two, { ...empty, flags: 0 }]))
    expect(said).toEqual(['a 1: 7 7', 'a 2: 8 8'])
    expect(channel.owesEcho).toBe(false)
    expect(readAll(channelOf([one, two])).channel.owesEcho).toBe(true)
    // The next sync may come first.
    expect(readAll(channelOf([one, two, empty])).channel.owesEcho).toBe(true)
    const echo = { flags: 0, pages: [] }
    expect(readAll(channelOf([one, two, empty, echo])).channel.owesEcho).toBe(false)
    expect(readAll(channelOf([empty])).channel).toMatchObject({ method: undefined, pages: 0 })
  })

  const at = GREETING_BYTES + PACKET_HEAD_BYTES
  const noise = Uint8Array.from({ length: PAGE }, (_, i) => (i * i * 31) >> 3)
  const bad: readonly [string, readonly Packet[], number, RegExp][] = [
    [
      'change their method',
      [
        { flags: ZLIB, pages: [1], data: deflated(plain(1)) },
        { flags: ZSTD | SYNC, pages: [2], data: zstd([1]) },
      ],
      0,
      /changes its method from zlib to zstd/,
    ],
    ['are packed by what is not', [{ flags: 0x11, pages: [1] }], 0, /QEMU 7.2 has not: 0x10/],
    ['are packed by two', [{ flags: 0x07, pages: [1] }], 0, /QEMU 7.2 has not: 0x6/],
    ['hold no zlib', [{ flags: 3, pages: [1], data: noise }], at + 8, /zlib: no stream begins/],
    ['hold no zstd', [{ flags: 5, pages: [1], data: noise }], at + 8, /zstd: no frame of zstd/],
    [
      'hold broken zlib',
      [{ flags: 3, pages: [1], data: Uint8Array.of(0x78, 0x9c, 7, 7, 7) }],
      at + 8,
      /zlib: invalid block type/,
    ],
    [
      'hold too much zlib',
      [{ flags: 3, pages: [1], data: deflated(plain(1, 2)) }],
      at + 8,
      /zlib: it holds more than is due/,
    ],
    [
      'hold too little zlib',
      [{ flags: 3, pages: [1, 2], data: deflated(plain(1)) }],
      at + 16,
      /a packet of 4096 bytes, where its pages have 8192/,
    ],
    [
      'hold too much zstd',
      [{ flags: 5, pages: [1], data: zstd([1, 2]) }],
      at + 8 + 6 + 4,
      /zstd: it holds more than is due/,
    ],
    [
      'hold too little zstd',
      [{ flags: 5, pages: [1, 2], data: zstd([1]) }],
      at + 16 + 6 + 4,
      /zstd: it holds 4096 bytes, where 8192 are due/,
    ],
    [
      'want a window that is too large',
      [{ flags: 5, pages: [1], data: zstd([1], true, 0xff) }],
      at + 8 + 5,
      /zstd: a window of \d+ bytes/,
    ],
    [
      'have more bytes than pages have',
      [{ flags: 5, pages: [1], data: new Uint8Array(4 * PAGE) }],
      at + 8,
      /16384 bytes for 4096 of pages/,
    ],
    ['have less', [{ pages: [1, 2], data: plain(1) }], at + 16, /a packet of 4096 bytes/],
    ['lie behind their block', [{ pages: [64], data: plain(1) }], at + 8, /0x40000 of a, where/],
    ['lie between pages', [{ pages: [0.5], data: plain(1) }], at + 8, /0x800 of a, where/],
    ['are of no block', [{ pages: [1], block: 'b', data: plain(1) }], at + 8, /"b", which is not/],
    ['have too many places', [{ pages: [], places: 1025 }], 0, /with places for 1025/],
    ['have too few places', [{ pages: [1], places: 0 }], 0, /of 1 pages, with places for 0/],
  ]

  it.each(bad)('that %s are refused', (_, packets, offset, rule) => {
    let error: unknown
    try {
      readAll(channelOf(packets, 3))
    } catch (raised) {
      error = raised
    }
    expect(error).toBeInstanceOf(QemuStreamError)
    expect(error).toMatchObject({ code: 'bad-ram', item: 'multifd channel 3' })
    expect(String(error)).toMatch(rule)
    if (offset > 0) expect(error).toMatchObject({ offset })
  })

  it('begin with a greeting, and sync before they end', () => {
    const codeOf = (bytes: Uint8Array) => {
      try {
        readAll(bytes)
      } catch (error) {
        return (error as QemuStreamError).code
      }
      return 'read'
    }
    const one = { flags: 0, pages: [1], data: plain(1) }
    expect(codeOf(new Uint8Array(64))).toBe('bad-magic')
    expect(codeOf(channelOf([one], 0, 2))).toBe('bad-version')
    expect(codeOf(channelOf([one]))).toBe('truncated')
    const whole = channelOf([one, {}])
    expect(codeOf(whole)).toBe('read')
    for (let cut = 0; cut < whole.length; cut += 97) {
      expect(codeOf(whole.subarray(0, cut))).toBe('truncated')
    }
  })
})

describe('page channels beside a stream', () => {
  /** Two sections with a zero page each, and what ends them. */
  function streamOf(...marks: number[][]): Uint8Array {
    return written((file) => {
      const writer = new MigrationWriter(file)
      const base = { type: SECTION_START, sectionId: 2, idstr: 'ram', instanceId: 0 } as const
      writer.header(0, 3)
      for (const [index, list] of marks.entries()) {
        const type = index === 0 ? SECTION_START : 2
        const head = { ...base, type, offset: 0, versionId: 4 } as const
        writer.sectionBegins(head)
        if (index === 0) writer.blocks(0, BLOCKS)
        writer.zeroPage(BLOCKS[0], index * PAGE, 2, 0)
        for (const mark of list) writer.mark(0, mark)
        writer.sectionEnds(head, 0, true)
      }
      writer.endOfItems()
    })
  }

  function read(stream: Uint8Array): { readonly said: string[]; readonly isBeside: boolean } {
    const pages = new Pages()
    const walked = new MigrationStream(QemuFileReader.over(stream), pages, {
      syncs: () => void pages.said.push('sync'),
    })
    walked.read()
    return { said: pages.said, isBeside: walked.isBesideChannels }
  }

  it('sync at each end of a section, or where the stream says so', () => {
    const [end, flush] = [RAM_EOS, RAM_MULTIFD_FLUSH]
    expect(read(streamOf([end], [end])).said).toEqual(['a 0: zero', 'sync', 'a 1: zero', 'sync'])
    const marked = read(streamOf([flush, end], [end], [flush, end]))
    expect(marked.said).toEqual(['a 0: zero', 'sync', 'a 1: zero', 'a 2: zero', 'sync'])
    expect(marked.isBeside).toBe(true)
  })

  it('are known to have been there by pages that nothing brought', () => {
    expect(read(streamOf([RAM_EOS])).isBeside).toBe(true)
    const all = Array.from({ length: 64 }, () => [RAM_EOS])
    expect(read(streamOf(...all)).isBeside).toBe(false)
    expect(read(streamOf(...all.slice(1))).isBeside).toBe(true)
  })
})
