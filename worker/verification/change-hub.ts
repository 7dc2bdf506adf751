// One per region: knows the head of the changes and tells the isolates around it.
import { DurableObject } from 'cloudflare:workers';

export class ChangeHub extends DurableObject {}
