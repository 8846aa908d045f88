// A recorded checkpointed stream, made into one that Xen's own verify-stream-v2 can judge. That
// verifier stays in libxc at a CHECKPOINT, so each checkpoint becomes an image of its own:
//
//   LIBXC_CONTEXT, image and domain header, static data, pages and context, END for CHECKPOINT,
//   EMULATOR_CONTEXT, CHECKPOINT_END, CHECKPOINT_STATE NEW
//
// EMULATOR_XENSTORE_DATA is left out and counted: the verifier refuses every payload of it (a slip
// of Python 3 in its code). So are optional records, which it does not skip. A recording is read
// twice, so that a checkpoint cut short costs no memory: once through a StreamReader, for
// checkpointEndBytes, then through here.

import { viewOf } from '../bytes/byte-order.ts'
import { LIBXC } from './libxc-records.ts'
import { LIBXL } from './libxl-records.ts'
import { PAGE_DATA_HEADER_BYTES, RECORD_HEADER_BYTES, writePageDataHeader } from './page-data.ts'
import { encodeRawRecord, fixedRecords } from './record-encoder.ts'
import type { RecordSpec } from './record-spec.ts'
import { encodeDomainHeader, encodeImageHeader, encodeLibxlHeader } from './stream-headers.ts'
import type { StreamHeader } from './stream-headers.ts'
import type { StreamForm } from './stream-order.ts'
import { StreamReader } from './stream-reader.ts'
import type { ReadRecord, StreamSink } from './stream-sink.ts'

export interface Flattened {
  readonly checkpoints: number
  /** EMULATOR_XENSTORE_DATA records that were left out. */
  readonly droppedXenstore: number
  /** Bytes behind the last whole checkpoint. */
  readonly droppedBytes: number
}

export interface FlattenOptions {
  /** `checkpointEndBytes` of a StreamReader that has read the whole recording. */
  readonly endBytes: number
  readonly form?: StreamForm
}

/** Records that every image repeats; Xen sends them in the first one only. */
const staticRecords: ReadonlySet<RecordSpec> = new Set<RecordSpec>([
  LIBXC.X86_PV_INFO,
  LIBXC.X86_PV_P2M_FRAMES,
  LIBXC.X86_CPUID_POLICY,
  LIBXC.X86_MSR_POLICY,
  LIBXC.STATIC_DATA_END,
])

export class Flattener {
  readonly #write: (bytes: Uint8Array) => void
  readonly #endBytes: number
  readonly #reader: StreamReader
  /** LIBXC_CONTEXT, the headers and the static data of the image. */
  readonly #preamble: Uint8Array[] = []
  /** Whether the preamble of the image under way has been written. */
  #inImage = false
  #pushed = 0
  #droppedXenstore = 0

  /** `write` is handed bytes that are valid only during the call. */
  constructor(write: (bytes: Uint8Array) => void, options: FlattenOptions) {
    this.#write = write
    this.#endBytes = options.endBytes
    const sink: StreamSink = {
      header: (header) => this.#keepHeader(header),
      record: (record) => this.#flatten(record),
      pageData: (_, count, words, dataPages) => this.#startPages(count, words, dataPages),
      pageBytes: (chunk, from, to) => this.#write(chunk.subarray(from, to)),
    }
    this.#reader = new StreamReader(sink, { form: options.form ?? 'libxl' })
    this.#write(encodeLibxlHeader())
  }

  /**
   * The next bytes of the recording; what lies behind `endBytes` is counted only. Throws
   * StreamErrors.
   */
  push(chunk: Uint8Array): void {
    const wanted = Math.min(chunk.length, Math.max(0, this.#endBytes - this.#pushed))
    this.#pushed += chunk.length
    this.#reader.push(chunk, 0, wanted)
  }

  /** Writes the END. */
  finish(): Flattened {
    this.#write(fixedRecords.LIBXL_END)
    return {
      checkpoints: this.#reader.checkpoints,
      droppedXenstore: this.#droppedXenstore,
      droppedBytes: Math.max(0, this.#pushed - this.#endBytes),
    }
  }

  #keepHeader(header: StreamHeader): void {
    if (header.kind === 'image') {
      this.#preamble.length = 0
      this.#preamble.push(fixedRecords.LIBXC_CONTEXT, encodeImageHeader(header.version))
    } else if (header.kind === 'domain') {
      this.#preamble.push(encodeDomainHeader(header.guest, header.xenMajor, header.xenMinor))
    }
  }

  #flatten(record: ReadRecord): void {
    const { spec, type, body } = record
    if (spec === LIBXL.LIBXC_CONTEXT) return
    if (staticRecords.has(spec)) {
      const bytes = encodeRawRecord(type, body)
      this.#preamble.push(bytes)
      // Some records of the state may stand ahead of it.
      if (this.#inImage) this.#write(bytes)
    } else if (spec === LIBXL.EMULATOR_XENSTORE_DATA) {
      this.#droppedXenstore++
    } else {
      if (spec.layer === 'libxc') this.#openImage()
      this.#write(spec === LIBXC.CHECKPOINT ? fixedRecords.LIBXC_END : encodeRawRecord(type, body))
      if (spec === LIBXC.CHECKPOINT || spec === LIBXC.END) this.#inImage = false
    }
  }

  #startPages(count: number, words: Uint8Array, dataPages: number): void {
    const head = new Uint8Array(RECORD_HEADER_BYTES + PAGE_DATA_HEADER_BYTES)
    writePageDataHeader(viewOf(head), 0, count, dataPages)
    this.#openImage()
    this.#write(head)
    this.#write(words)
  }

  #openImage(): void {
    if (this.#inImage) return
    this.#inImage = true
    for (const bytes of this.#preamble) this.#write(bytes)
  }
}
