// What a conversion has to say of itself: how much of the devices' state it could take apart, and what not.

export interface Blob {
  /** `idstr (instance)`. */
  readonly section: string
  readonly bytes: number
  readonly reason: string
}

export class ConversionReport {
  sections = 0
  /** Bodies of devices in the stream, in bytes. */
  deviceBytes = 0
  /** Of those, what stayed bytes. */
  blobBytes = 0
  readonly blobs: Blob[] = []
  /** Bodies of the sections that carry disks: they have records, and the module has none for them. */
  diskBytes = 0
  /** Behind the end of the stream, carried as they are. */
  trailerBytes = 0

  blob(section: string, bytes: number, reason: string): void {
    this.blobBytes += bytes
    this.blobs.push({ section, bytes, reason })
  }
}
