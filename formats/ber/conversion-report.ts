// What a conversion has to say of itself: how much of the devices' state it could take apart, and what not.

export interface Blob {
  /** `idstr (instance)`. */
  readonly section: string
  /** Of all checkpoints together, where it is of checkpoints. */
  readonly bytes: number
  readonly reason: string
}

/** The devices of one part of a file. */
export interface DeviceTally {
  sections: number
  /** Bodies of devices in the stream, in bytes. */
  deviceBytes: number
  /** Of those, what stayed bytes. */
  readonly blobBytes: number
  readonly blobs: readonly Blob[]
  blob(section: string, bytes: number, reason: string): void
}

/** Of the first migration; every device is in it once. */
class MigrationTally implements DeviceTally {
  sections = 0
  deviceBytes = 0
  blobBytes = 0
  readonly blobs: Blob[] = []

  blob(section: string, bytes: number, reason: string): void {
    this.blobBytes += bytes
    this.blobs.push({ section, bytes, reason })
  }
}

/** Of the checkpoints of a COLO session. There may be millions, so what recurs in them is summed up. */
export class CheckpointTally implements DeviceTally {
  /** Checkpoints that are whole. */
  count = 0
  sections = 0
  deviceBytes = 0
  blobBytes = 0
  readonly blobs: { section: string; bytes: number; reason: string }[] = []
  readonly #bySection = new Map<string, { bytes: number }>()

  /** Of several reasons for one section the first is kept. */
  blob(section: string, bytes: number, reason: string): void {
    this.blobBytes += bytes
    const known = this.#bySection.get(section)
    if (known !== undefined) known.bytes += bytes
    else {
      const blob = { section, bytes, reason }
      this.blobs.push(blob)
      this.#bySection.set(section, blob)
    }
  }
}

export class ConversionReport extends MigrationTally {
  readonly checkpoints = new CheckpointTally()
  /** Bodies of the sections that carry disks: they have records, and the module has none for them. */
  diskBytes = 0
  /** Behind the end of the stream, carried as they are. */
  trailerBytes = 0
  /** Where and why the last checkpoint of a session ends before its end, if it does. */
  cutOff: string | undefined = undefined
}
