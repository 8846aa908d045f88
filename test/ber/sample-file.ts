// A file that has every type and every alternative of the module in it at least once, with the values at which
// encodings change.

import { CONTEXT_0, CONTEXT_1 } from '../../formats/ber/ber-tag.ts'
import type { BerWriter } from '../../formats/ber/ber-writer.ts'
import { TAGS } from '../../formats/ber/migration-tags.ts'
import { RamListWriter } from '../../formats/ber/ram-list-writer.ts'

const PAGE_BYTES = 4096

function writeState(ber: BerWriter, depth: number): void {
  ber.hold(TAGS.VMState)
  ber.hold()
  ber.boolean(true)
  ber.boolean(false)
  for (const value of [0, 1, -1, 127, 128, 255, 256, -(2n ** 63n), 2n ** 63n - 1n])
    ber.integer(value)
  ber.octets(Uint8Array.from([0x80, 0, 0, 0, 0, 0, 0, 1]), TAGS.u64)
  ber.octets(new Uint8Array(300).fill(7))
  ber.bits(Uint8Array.from([0xff, 0, 0xff, 0, 0, 0, 0, 0]))
  ber.text('x-ignore-shared')
  ber.null()
  ber.hold()
  for (let i = 0; i < 200; i++) ber.integer(i)
  ber.close()
  if (depth > 0) writeState(ber, depth - 1)
  ber.close()
  if (depth > 0) {
    ber.hold(TAGS.SubSecList)
    ber.hold(TAGS.SubSection)
    ber.name('timer/more')
    ber.integer(2)
    writeState(ber, depth - 1)
    ber.close()
    ber.close()
  }
  ber.close()
}

function writeHead(ber: BerWriter, tag: number, id: number, name: string): void {
  ber.open(tag)
  ber.integer(id)
  ber.name(name)
  ber.integer(2 ** 32 - 1)
  ber.integer(4)
}

function writeRam(ber: BerWriter, ram: RamListWriter): void {
  writeHead(ber, TAGS.SecStart, 2, 'ram')
  ram.begin(PAGE_BYTES)
  ram.blockList(3 * 2 ** 32, [
    { name: 'pc.ram', usedBytes: 2 ** 33, pageBytes: 2n ** 21n },
    { name: 'b\u00e9\u00ff', usedBytes: 2 ** 32, address: 2n ** 40n },
  ])
  ram.end()
  ber.close()
  ber.open(TAGS.SecPart)
  ber.integer(2)
  ram.begin(2 * PAGE_BYTES)
  const page = new Uint8Array(PAGE_BYTES).map((_, i) => i)
  for (let i = 0; i < 600; i++) ram.page('pc.ram', i > 0, i * PAGE_BYTES, page)
  ram.zeroPage('pc.ram', true, 2 ** 32, 0)
  ram.zeroPage('b\u00e9\u00ff', false, 0, 0)
  ram.zeroPage('b\u00e9\u00ff', true, 2 * PAGE_BYTES, 0)
  ram.zeroPage('b\u00e9\u00ff', true, 4 * PAGE_BYTES, 9)
  ram.xbzrlePage('b\u00e9\u00ff', true, 0, page.subarray(0, 30))
  ram.zlibPage('b\u00e9\u00ff', false, 0, page.subarray(0, 30))
  ram.hook('pc.ram')
  ram.multifdFlush('pc.ram')
  ram.end()
  ber.null(CONTEXT_0)
  ber.close()
  ber.open(TAGS.SecEnd)
  ber.integer(2)
  ram.begin(PAGE_BYTES)
  ram.end()
  ber.close()
}

function writeSession(ber: BerWriter, ram: RamListWriter): void {
  ber.open(CONTEXT_1)
  for (const code of [0, 1, 3, 2 ** 32 - 1]) ber.integer(code, TAGS.ColoMessage)
  ber.open(TAGS.CheckpointPages)
  ber.open(TAGS.SecEnd)
  ber.integer(2)
  ram.begin(PAGE_BYTES)
  ram.zeroPage('pc.ram', false, 0, 0)
  ram.end()
  ber.close()
  ber.close()
  ber.open(TAGS.CheckpointState)
  ber.integer(2 ** 27)
  ber.open()
  writeHead(ber, TAGS.SecFull, 3, 'timer')
  writeState(ber, 1)
  ber.close()
  ber.close()
  ber.close()
  ber.close()
}

/** Calls the writer as the whole file wants it. */
export function writeSample(ber: BerWriter): void {
  ber.open(TAGS.QemuFile)
  ber.integer(3)
  ber.hold(TAGS.Configuration)
  ber.name('pc-i440fx-7.2')
  ber.hold(TAGS.SubSecList)
  ber.close()
  ber.close()
  ber.open()
  ber.open(TAGS.Command)
  ber.integer(8)
  ber.octets(new Uint8Array())
  ber.close()
  const ram = new RamListWriter(ber)
  writeRam(ber, ram)
  ber.open(TAGS.Command)
  ber.integer(7)
  ber.octets(Uint8Array.from([0, 0, 1, 0]))
  ber.open()
  writeHead(ber, TAGS.SecFull, 3, 'timer')
  writeState(ber, 2)
  ber.close()
  ber.close()
  ber.close()
  writeHead(ber, TAGS.SecFull, 4, 'slirp')
  ber.openString()
  for (let i = 0; i < 3; i++) ber.chunk(new Uint8Array(100).fill(i))
  ber.close()
  ber.null(CONTEXT_0)
  ber.close()
  ber.close()
  ber.text('{"page_size": 4096}', TAGS.VMDescription)
  writeSession(ber, ram)
  ber.openString(CONTEXT_0)
  ber.chunk(new Uint8Array(100))
  ber.close()
  ber.close()
}
