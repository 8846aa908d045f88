// Where a stream is, and which record may come there: the switching between libxl and libxc, Remus
// against COLO, and the back channel's round. Bytes are read in stream-reader.ts; what a record may
// do is in its row.
//
//   libxl header -> libxl --LIBXC_CONTEXT--> image header -> domain header -> libxc
//   libxc --END--> libxl tail --END--> ended             (a plain stream)
//   libxc --CHECKPOINT--> checkpoint --CHECKPOINT_END--> control  (a checkpoint is whole)
//   control --CHECKPOINT_STATE NEW--> libxc              (COLO; Remus goes straight to libxc)
//   svm ready -> svm resumed -> svm suspended -> svm dirty pfns -> svm ready       (back channel)

import { LIBXC } from './libxc-records.ts'
import { CONTROL_ID, LIBXL } from './libxl-records.ts'
import { OPTIONAL_BIT } from './record-spec.ts'
import type { Layer, Place, RecordSpec, StreamFacts } from './record-spec.ts'
import type { StreamErrorCode } from './stream-error.ts'
import type { StreamHeader } from './stream-headers.ts'

/** libxl or libxc stream, xl save file with one of them inside, or COLO's back channel. */
export type StreamForm = 'libxl' | 'libxc' | 'xl' | 'back'
/**
 * The stream itself does not say what it is; 'auto' tells from what follows the first
 * CHECKPOINT_END.
 */
export type Checkpointed = 'none' | 'remus' | 'colo' | 'auto'

export interface OrderFlaw {
  readonly code: StreamErrorCode
  readonly rule: string
}

const firstPlace: Readonly<Record<StreamForm, Place>> = {
  libxl: 'libxl header',
  libxc: 'image header',
  xl: 'xl header',
  back: 'svm ready',
}

const layers: { readonly [At in Place]?: Layer } = {
  libxl: 'libxl',
  libxc: 'libxc',
  'libxl tail': 'libxl',
  checkpoint: 'libxl',
  control: 'libxl',
  'svm ready': 'libxl',
  'svm resumed': 'libxl',
  'svm suspended': 'libxl',
  'svm dirty pfns': 'libxc',
}

const controlsDue: { readonly [At in Place]?: number } = {
  control: CONTROL_ID.NEW,
  'svm ready': CONTROL_ID.SVM_READY,
  'svm resumed': CONTROL_ID.SVM_RESUMED,
  'svm suspended': CONTROL_ID.SVM_SUSPENDED,
}

const controlPlaces: readonly Place[] = ['control', 'svm ready', 'svm resumed', 'svm suspended']

function byType(table: Readonly<Record<string, RecordSpec>>): RecordSpec[] {
  const rows: RecordSpec[] = []
  for (const row of Object.values(table)) rows[row.type] = row
  return rows
}

const rowsByType = { libxl: byType(LIBXL), libxc: byType(LIBXC) }

export class StreamOrder {
  readonly facts: StreamFacts = {
    guest: undefined,
    imageVersion: 0,
    guestWidth: 0,
    pfnHighest: Infinity,
    controlDue: undefined,
  }
  place: Place
  /** Checkpoints that are whole: CHECKPOINT_ENDs forward, SVM_RESUMEDs back. */
  checkpoints = 0
  #checkpointed: Checkpointed
  #inLibxl: boolean
  readonly #inBack: boolean
  readonly #seen = new Set<RecordSpec>()
  #pvPardoned = false

  constructor(form: StreamForm, checkpointed: Checkpointed) {
    this.place = firstPlace[form]
    this.#checkpointed = checkpointed
    this.#inLibxl = form !== 'libxc'
    this.#inBack = form === 'back'
    this.facts.controlDue = controlsDue[this.place]
  }

  /** The layer that the stream is in: it says in which endianness the next record's header is. */
  get layer(): Layer {
    return layers[this.place] ?? 'libxl'
  }

  /** The layer of the next record. It takes the record's header to tell Remus from COLO. */
  layerOf(type: number, length: number): Layer {
    const optional = type >= OPTIONAL_BIT
    if (this.place === 'control' && this.#checkpointed === 'auto' && !optional) {
      // No libxc record can look so: X86_PV_VCPU_EXTENDED has at least 8 bytes.
      const isControl = type === LIBXL.CHECKPOINT_STATE.type && length === 4
      this.#checkpointed = isControl ? 'colo' : 'remus'
      if (!isControl) this.#goTo('libxc')
    }
    return this.layer
  }

  /** The row of a type in a layer, if it is known. */
  rowOf(layer: Layer, type: number): RecordSpec | undefined {
    return rowsByType[layer][type]
  }

  /** Why this record may not come here, if so. */
  refuses(spec: RecordSpec): OrderFlaw | undefined {
    if (spec.refused !== undefined) return { code: 'unsupported', rule: spec.refused }
    const rule = this.#brokenRule(spec)
    return rule === undefined ? undefined : { code: 'wrong-place', rule }
  }

  #brokenRule(spec: RecordSpec): string | undefined {
    const { guest, imageVersion } = this.facts
    if (this.#checkpointed === 'colo' && guest === 'pv' && !this.#pvPardoned) {
      return 'COLO is only for HVM guests'
    }
    if (this.#leads(spec) === undefined) return `not legal in '${this.place}'`
    if (spec.guest !== undefined && guest !== undefined && spec.guest !== guest) {
      return `only for ${spec.guest.toUpperCase()} guests`
    }
    if (spec.imageVersion !== undefined && spec.imageVersion > imageVersion) {
      return `only since version ${spec.imageVersion} of the image`
    }
    if (spec.once === true && this.#seen.has(spec)) return 'at most once in an image'
    if (spec.plainOnly === true && !this.#mayBePlain()) return 'only in plain streams'
    if (spec === LIBXC.CHECKPOINT) {
      if (this.#checkpointed === 'none') return 'only in checkpointed streams'
      if (this.#seen.has(LIBXC.VERIFY)) return 'an image with a VERIFY has no checkpoints'
    }
    const missing = spec.needs?.find((need) => this.#applies(need) && !this.#seen.has(need))
    return missing === undefined ? undefined : `${missing.name} must come before`
  }

  #applies(need: RecordSpec): boolean {
    const { guest, imageVersion } = this.facts
    return (need.guest ?? guest) === guest && (need.imageVersion ?? 0) <= imageVersion
  }

  #mayBePlain(): boolean {
    return this.#checkpointed === 'none' || this.#checkpointed === 'auto'
  }

  /**
   * The flat form is for streams that are not known to be checkpointed: Xen's own reader refuses
   * it.
   */
  #leads(spec: RecordSpec): Place | undefined {
    return spec.leads[this.place] ?? (this.#mayBePlain() ? spec.flat?.[this.place] : undefined)
  }

  /** A record that was not refused is whole. */
  passed(spec: RecordSpec): void {
    const from = this.place
    this.#seen.add(spec)
    if (from === 'checkpoint' && spec === LIBXL.CHECKPOINT_END) this.checkpoints++
    if (from === 'svm resumed') this.checkpoints++
    const to = this.#leads(spec)
    if (to !== undefined && to !== from) this.#goTo(to)
  }

  /**
   * A record was refused, and the stream is judged on all the same: what it was refused for is not
   * held against later records.
   */
  pardon(spec: RecordSpec): void {
    if (this.facts.guest === 'pv') this.#pvPardoned = true
    for (const need of spec.needs ?? []) {
      if (!this.#applies(need) || this.#seen.has(need)) continue
      this.#seen.add(need)
      need.forget?.(this.facts)
    }
  }

  /**
   * A record is whole that stood where it may not, or was otherwise refused: goes where it would
   * lead if its place cannot be doubted, so that one flaw is not taken for many.
   */
  passedRefused(spec: RecordSpec, controlId: number | undefined): void {
    const { place } = this
    if (spec === LIBXL.CHECKPOINT_STATE) {
      const due = controlPlaces.find((one) => controlsDue[one] === controlId)
      if (due === undefined) return this.passed(spec)
      const isHere = this.#inBack ? due !== 'control' : ['control', 'checkpoint'].includes(place)
      return isHere ? this.#goTo(spec.leads[due] ?? place) : undefined
    }
    if (this.#leads(spec) !== undefined) return this.passed(spec)
    this.#seen.add(spec)
    if (spec === LIBXL.LIBXC_CONTEXT) this.#goTo('image header')
    if (spec === LIBXL.END && !this.#inBack) this.#goTo('ended')
    if (spec === LIBXC.CHECKPOINT_DIRTY_PFN_LIST && this.#inBack) this.#goTo('svm ready')
  }

  /** A domain header is behind that does not say of which guest. */
  passedUnknownDomain(): void {
    this.facts.guest = undefined
    this.facts.pfnHighest = Infinity
    this.#goTo('libxc')
  }

  /** A header was read and is in order. */
  passedHeader(header: StreamHeader): void {
    const facts = this.facts
    switch (header.kind) {
      case 'xl':
        this.#inLibxl = header.libxlFollows
        return this.#goTo(header.libxlFollows ? 'libxl header' : 'image header')
      case 'libxl':
        return this.#goTo('libxl')
      case 'image':
        this.#seen.clear()
        facts.imageVersion = header.version
        return this.#goTo('domain header')
      case 'domain':
        facts.guest = header.guest
        facts.pfnHighest = header.guest === 'pv' ? 0 : Infinity
        return this.#goTo('libxc')
    }
  }

  #goTo(place: Place): void {
    if (place === 'libxl tail' && !this.#inLibxl) place = 'ended'
    if (place === 'control' && this.#checkpointed === 'remus') place = 'libxc'
    this.place = place
    this.facts.controlDue = controlsDue[place]
  }
}
