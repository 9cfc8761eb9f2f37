use super::*;
use unicode_width::UnicodeWidthStr;

#[test]
fn every_channel_goes_to_the_nearest_of_the_six_levels() {
    for channel in 0..=255_u8 {
        // Far from any grey.
        let index = Rgb(channel, 255, 0).indexed();
        let levels = [0_u8, 95, 135, 175, 215, 255];
        let nearest = (0..6_u8).min_by_key(|&at| levels[usize::from(at)].abs_diff(channel));
        assert_eq!(Some((index - 16) / 36), nearest, "{channel}");
    }
}

#[test]
fn every_mark_is_as_wide_as_a_column() {
    for set in [&UNICODE, &ASCII] {
        let glyphs = set.left.iter().chain(&set.bars).chain([
            &set.upper_half,
            &set.lower_half,
            &set.lower_left,
            &set.lower_right,
            &set.full,
            &set.waiting,
            &set.blocked,
            &set.hot,
            &set.between,
            &set.failed,
            &set.skipped,
            &set.lost,
            &set.dead,
            &set.migrated,
            &set.main_blocked,
            &set.main_works,
            &set.main_serial,
            &set.one_result,
            &set.results,
            &set.cursor,
            &set.run_end,
            &set.playing,
            &set.paused,
            &set.ended,
            &set.here,
            &set.future,
            &set.rule,
            &set.tick,
            &set.times,
            &set.shares.on_cpu,
            &set.shares.useful_wait,
            &set.shares.waiting_cpu,
            &set.shares.blocked,
            &set.shares.overhead,
            &set.shares.starved,
            &set.shares.dead,
            &set.shares.idle,
            &set.shares.unknown,
            &set.frame.horizontal,
            &set.frame.vertical,
            &set.frame.top_left,
            &set.frame.top_right,
            &set.frame.bottom_left,
            &set.frame.bottom_right,
        ]);
        for glyph in glyphs {
            assert_eq!(glyph.width(), 1, "{glyph}");
        }
    }
}

#[test]
fn the_ascii_set_is_ascii() {
    assert!(format!("{ASCII:?}").is_ascii());
}

#[test]
fn a_number_of_the_table_stands_for_the_colour_it_is_nearest_to() {
    for number in 16..=255 {
        let same = Rgb::numbered(number).indexed();
        assert_eq!(Rgb::numbered(same), Rgb::numbered(number), "{number}");
    }
    assert_eq!(Rgb::numbered(16), Rgb(0, 0, 0));
    assert_eq!(Rgb::numbered(214), Rgb(255, 175, 0));
    assert_eq!(Rgb::numbered(255), Rgb(238, 238, 238));
}

#[test]
fn the_nearest_of_256_colours_is_found() {
    assert_eq!(Rgb(0, 0, 0).indexed(), 16);
    assert_eq!(Rgb(255, 255, 255).indexed(), 231);
    assert_eq!(Rgb(18, 18, 18).indexed(), 233);
    assert_eq!(Rgb(254, 96, 2).indexed(), 202);
}

#[test]
fn the_only_task_has_the_colour_of_the_first() {
    let places = [(0, 1), (0, 24), (12, 25), (23, 24), (99, 24)];
    let hundredths = places.map(|(index, of)| Place::new(index, of).in_steps(100).0);
    assert_eq!(hundredths, [0, 0, 50, 100, 100]);
}

#[test]
fn colours_move_only_when_an_unknown_number_of_tasks_doubles() {
    let spread: Vec<u32> = [0, 8, 9, 16, 17]
        .map(|seen| Ramp::spread(None, seen))
        .into();
    assert_eq!(spread, [8, 8, 16, 16, 32]);
    assert_eq!(Ramp::spread(Some(24), 9), 24);
}
