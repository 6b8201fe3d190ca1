import type { Event, Message, User } from '../wire';

/** What a server tells that has previews and pictures of people: from an older one these are absent. */

export interface Preview {
  url: string;
  title: string;
  description: string;
  site: string;
  image_id?: string | null;
}

export type WithPreviews = Message & { previews?: Preview[] };

export type WithPicture = User & { picture_id?: string | null };

export type Told = Event & { previewed?: { message_id: string; number: number; previews: Preview[] } | null };
