/** The dialogs that nobody needs before one of them is asked for ({@link ../shell/ask}): they come together. */
export { NewDirect } from '../rooms/NewDirect';
export { NewRoom } from '../rooms/NewRoom';
export { AddPeople } from './AddPeople';
export { BanPerson } from './BanPerson';
export { Decay } from './Decay';
export { EditName } from './EditName';
export { Ending } from './Ending';
export { NewSession } from './NewSession';
export { Forward } from '../timeline/Forward';
export { Life } from '../timeline/Life';
