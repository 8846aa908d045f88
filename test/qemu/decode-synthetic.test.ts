// What no stream of the corpus has, written by our own writer and walked again: x-ignore-shared, huge pages under
// postcopy, packages, hints of later versions, and sections that only a footer or the description can delimit.

import { describe, expect, it } from 'vitest'
import {
  SECTION_END,
  SECTION_FULL,
  SECTION_START,
  SilentSink,
  type Configuration,
  type OpaqueBody,
  type RamBlock,
  type SectionHead,
} from '../../formats/qemu/stream/migration-sink.ts'
import { MigrationStream } from '../../formats/qemu/stream/migration-stream.ts'
import { MigrationWriter } from '../../formats/qemu/stream/migration-writer.ts'
import { QemuFileReader, QemuFileWriter, sourceOf } from '../../formats/qemu/file/qemu-file.ts'
import { RAM_EOS, RAM_MULTIFD_FLUSH, RAM_ZERO } from '../../formats/qemu/stream/ram-section.ts'

const bytesOf = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0))

class Heard extends SilentSink {
  readonly bodies: [string, string, OpaqueBody['delimiter']][] = []
  readonly said: string[] = []
  listed: readonly RamBlock[] = []
  config: Configuration | undefined

  override configuration(configuration: Configuration): void {
    this.config = configuration
  }

  override blocks(_offset: number, blocks: readonly RamBlock[]): void {
    this.listed = blocks
  }

  override body({ idstr }: SectionHead, { bytes, delimiter }: OpaqueBody): void {
    this.bodies.push([idstr, String.fromCharCode(...bytes), delimiter])
  }

  override packageEnds(): void {
    this.said.push('package ends')
  }

  override endOfItems(): void {
    this.said.push('end')
  }

  override mark(_high: number, low: number): void {
    this.said.push(`mark ${low}`)
  }
}

/** Walks what `write` wrote, twice: into a listener, and into a writer that must write the same. */
function walkWritten(write: (writer: MigrationWriter, file: QemuFileWriter) => void): Heard {
  const written = (fill: (writer: MigrationWriter, file: QemuFileWriter) => void): Uint8Array => {
    const parts: Uint8Array[] = []
    const file = new QemuFileWriter({ write: (bytes) => void parts.push(bytes.slice()) })
    fill(new MigrationWriter(file), file)
    file.flush()
    return new Uint8Array(Buffer.concat(parts))
  }
  const bytes = written(write)
  const heard = new Heard()
  expect(new MigrationStream(QemuFileReader.over(bytes), heard).read()).toBe('whole')
  const again = written((writer) => {
    new MigrationStream(new QemuFileReader(sourceOf(bytes), 16), writer).read()
  })
  expect(again).toEqual(bytes)
  return heard
}

const plain = { offset: 0, machine: 'pc', subsections: [], capabilities: [] }
const ram = { offset: 0, sectionId: 2, idstr: 'ram', instanceId: 0, versionId: 4 }
const device = (sectionId: number, idstr: string) => {
  return { type: SECTION_FULL, offset: 0, sectionId, idstr, instanceId: 0, versionId: 1 } as const
}

function writeRam(
  writer: MigrationWriter,
  blocks: readonly RamBlock[],
  marks: readonly number[],
): void {
  for (const type of [SECTION_START, SECTION_END] as const) {
    writer.sectionBegins({ ...ram, type })
    if (type === SECTION_START) writer.blocks(0, blocks)
    else for (const low of marks) writer.mark(0, low)
    writer.mark(0, RAM_EOS)
    writer.sectionEnds({ ...ram, type }, 0, true)
  }
}

function writeDevice(
  writer: MigrationWriter,
  sectionId: number,
  idstr: string,
  body: string,
): void {
  const head = device(sectionId, idstr)
  writer.sectionBegins(head)
  writer.body(head, { offset: 0, bytes: bytesOf(body), delimiter: 'footer' })
  writer.sectionEnds(head, 0, true)
}

describe('blocks of memory', () => {
  it('have addresses with x-ignore-shared', () => {
    const name = 'configuration/capabilities'
    const body = bytesOf('\0\0\0\u0001\u000fx-ignore-shared')
    const blocks = [
      { name: 'a', index: 0, usedBytes: 8192, address: 0x1_0000_0000n },
      { name: 'b', index: 1, usedBytes: 4096, address: 0n },
    ]
    const heard = walkWritten((writer) => {
      writer.header(0, 3)
      writer.configuration({ ...plain, subsections: [{ offset: 0, name, version: 1, body }] })
      writeRam(writer, blocks, [])
      writer.endOfItems()
    })
    expect(heard.config?.capabilities).toEqual(['x-ignore-shared'])
    expect(heard.listed).toEqual(blocks)
  })

  it('have the sizes of their pages with postcopy, where those are not the host’s', () => {
    const advice = new Uint8Array(16)
    new DataView(advice.buffer).setBigUint64(0, 0x201000n)
    new DataView(advice.buffer).setBigUint64(8, 4096n)
    const blocks = [
      { name: 'a', index: 0, usedBytes: 4096 },
      { name: 'huge', index: 1, usedBytes: 0x400000, pageBytes: 0x200000n },
      { name: 'z', index: 2, usedBytes: 4096 },
    ]
    const heard = walkWritten((writer) => {
      writer.header(0, 3)
      writer.configuration(plain)
      writer.command({ offset: 0, id: 3, data: advice })
      writeRam(writer, blocks, [RAM_MULTIFD_FLUSH])
      writer.endOfItems()
    })
    expect(heard.listed).toEqual(blocks)
    expect(heard.said).toContain(`mark ${RAM_MULTIFD_FLUSH}`)
  })

  it('may be pages of another size', () => {
    const name = 'configuration/target-page-bits'
    const body = Uint8Array.of(0, 0, 0, 16)
    const block = { name: 'a', index: 0, usedBytes: 0x20000 }
    const heard = walkWritten((writer) => {
      writer.header(0, 3)
      const subsections = [{ offset: 0, name, version: 1, body }]
      writer.configuration({ ...plain, subsections, pageBytes: 65_536 })
      writeRam(writer, [block], [])
      writer.sectionBegins({ ...ram, type: SECTION_END })
      writer.page(block, 0x10000, 8, new Uint8Array(65_536).fill(7), 0)
      writer.zeroPage(block, 0, RAM_ZERO, 0)
      writer.mark(0, RAM_EOS)
      writer.sectionEnds({ ...ram, type: SECTION_END }, 0, true)
      writer.endOfItems()
    })
    expect(heard.config?.pageBytes).toBe(65_536)
  })
})

describe('devices', () => {
  it('of a package end with it', () => {
    const heard = walkWritten((writer) => {
      writer.header(0, 3)
      writer.configuration(plain)
      writeRam(writer, [{ name: 'a', index: 0, usedBytes: 4096 }], [])
      // LISTEN, a device of 4 bytes, RUN: 5 + 26 + 5.
      writer.command({ offset: 0, id: 7, data: Uint8Array.of(0, 0, 0, 36) })
      writer.command({ offset: 0, id: 4, data: new Uint8Array() })
      writeDevice(writer, 5, 'dev', 'abcd')
      writer.command({ offset: 0, id: 5, data: new Uint8Array() })
      writeRam(writer, [{ name: 'a', index: 0, usedBytes: 4096 }], [])
      writer.endOfItems()
    })
    expect(heard.bodies).toEqual([['dev', 'abcd', 'footer']])
    expect(heard.said).toContain('package ends')
  })

  /** A footer of section 5, and the head of another device: inside of a device's own bytes. */
  const fake = '\u007e\0\0\0\u0005\u0004\0\0\0\u0006\u0003dev\0\0\0\0\0\0\0\u0001xx'
  const json = (size: number) =>
    bytesOf(
      `{"page_size": 4096, "devices": [{"name": "dev", "instance_id": 0, "size": ${size}, "fields": ` +
        `[{"name": "data", "size": ${size}, "type": "buffer"}]}]}`,
    )

  it('that hold what looks like a footer are delimited by the description', () => {
    const heard = walkWritten((writer) => {
      writer.header(0, 3)
      writer.configuration(plain)
      writeRam(writer, [{ name: 'a', index: 0, usedBytes: 4096 }], [])
      writeDevice(writer, 5, 'dev', fake)
      writer.endOfItems()
      writer.description(0, json(fake.length))
    })
    expect(heard.bodies).toEqual([['dev', fake, 'description']])
  })

  it('without footers are delimited by the description too', () => {
    const heard = walkWritten((writer) => {
      const head = device(5, 'dev')
      writer.header(0, 3)
      writer.sectionBegins({ ...ram, type: SECTION_START })
      writer.blocks(0, [{ name: 'a', index: 0, usedBytes: 4096 }])
      writer.mark(0, RAM_EOS)
      writer.sectionEnds({ ...ram, type: SECTION_START }, 0, false)
      writer.sectionBegins(head)
      writer.body(head, { offset: 0, bytes: bytesOf(fake), delimiter: 'description' })
      writer.sectionEnds(head, 0, false)
      writer.endOfItems()
      writer.description(0, json(fake.length))
    })
    expect(heard.bodies).toEqual([['dev', fake, 'description']])
  })

  it('with sizes that no file can have are refused, in no memory', () => {
    for (const size of [2 ** 33, 2 ** 52, -5]) {
      const heard = walkWritten((writer) => {
        writer.header(0, 3)
        writer.configuration(plain)
        writeRam(writer, [{ name: 'a', index: 0, usedBytes: 4096 }], [])
        writeDevice(writer, 5, 'dev', 'abcd')
        writer.endOfItems()
        writer.description(0, json(size))
      })
      expect(heard.bodies).toEqual([['dev', 'abcd', 'footer']])
    }
  })

  it('without a description end where another stream begins, or padding without end', () => {
    const parts: Uint8Array[] = []
    const file = new QemuFileWriter({ write: (bytes) => void parts.push(bytes.slice()) })
    const writer = new MigrationWriter(file)
    writer.header(0, 3)
    writer.configuration(plain)
    writeRam(writer, [{ name: 'a', index: 0, usedBytes: 4096 }], [])
    writeDevice(writer, 5, 'dev', 'abcd')
    writer.endOfItems()
    file.flush()
    const bytes = new Uint8Array(Buffer.concat(parts))
    const twice = new Uint8Array(Buffer.concat([bytes, bytes]))
    const heard = new Heard()
    const walk = () => new MigrationStream(QemuFileReader.over(twice), heard).read()
    expect(walk).toThrow(`at byte ${bytes.length} (end of stream): there are bytes behind the end`)
    expect(heard.bodies).toEqual([['dev', 'abcd', 'footer']])

    const padded = new Uint8Array(bytes.length + 2 ** 22)
    padded.set(bytes)
    const kept = new QemuFileReader(sourceOf(padded), 2 ** 16)
    expect(new MigrationStream(kept, new Heard()).read()).toBe('whole')
    // What looks ahead keeps what it saw.
    expect(kept.buffer.length).toBeLessThan(2 ** 19)
  })
})
